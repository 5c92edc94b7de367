import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { startDns, type Zone } from "../../test/support/dns-server.ts";
import { freePort } from "../../test/support/server-process.ts";
import { type RelayOptions, startRelay, type TestRelay } from "../../test/support/smtp-relay.ts";
import { createTxtLookup } from "../platform/mail/txt-lookup.ts";
import type { Check } from "./check.ts";
import { runCli } from "./cli.ts";
import { checkMailDomain } from "./doctor-mail-domain.ts";

const wellSetUp: Zone = {
  "example.com": ["google-site-verification=x", ["v=spf1 include:spf.", "example.net -all"]],
  "s1._domainkey.example.com": ["v=DKIM1; k=rsa; p=MIGf"],
  "_domainkey.example.com": [],
  "_dmarc.example.com": ["v=DMARC1; p=reject; rua=mailto:d@example.com"],
};

type Doctor = { readonly exitCode: number; readonly mail: readonly Check[]; readonly text: string };

/** `doctor --mail` as somebody types it, with the checks that are about mail. */
async function doctor(t: TestContext, env: Record<string, string>, ...args: string[]): Promise<Doctor> {
  const dns = await startDns(t, wellSetUp);
  const settings = { DATABASE_URL: "sqlite::memory:", ARGON2_MEMORY_KIB: "8", ARGON2_PASSES: "1", ...env };
  const lines: string[] = [];
  const terminal = { env: settings, out: (line: string) => lines.push(line), err: (line: string) => lines.push(line) };
  const exitCode = await runCli(["doctor", "--json", ...args], { ...terminal, dnsServers: [dns.address] });
  const { checks } = JSON.parse(lines[0] ?? "") as { checks: Check[] };
  return { exitCode, mail: checks.filter(({ name }) => name.startsWith("mail")), text: lines.join("\n") };
}

async function relayFor(
  t: TestContext,
  options?: RelayOptions,
): Promise<{ relay: TestRelay; env: Record<string, string> }> {
  const relay = await startRelay(options);
  t.after(() => relay.close());
  return { relay, env: { SMTP_URL: `smtp://127.0.0.1:${relay.port}`, MAIL_FROM: "accounts@example.com" } };
}

test("doctor --mail sends one mail, tells the relay's words, and looks the sender's domain up", async (t) => {
  const { relay, env } = await relayFor(t);
  const { exitCode, mail, text } = await doctor(t, env, "--mail", "You@Exämple.com", "--dkim-selector", "s1");
  assert.equal(exitCode, 0, text);
  assert.deepEqual(
    mail.map(({ name, state }) => [name, state]),
    [
      ["mail", "ok"],
      ["mail SPF", "ok"],
      ["mail DKIM", "ok"],
      ["mail DMARC", "ok"],
    ],
  );
  assert.match(mail[0]?.found ?? "", /^127\.0\.0\.1:\d+ took a trial for You@.* and said: .*2\.0\.0 Queued as 4711$/);
  assert.deepEqual(
    relay.taken.map(({ from, to }) => [from, to]),
    [["accounts@example.com", ["You@xn--exmple-cua.com"]]],
  );
  assert.match(relay.taken[0]?.raw ?? "", /doctor --mail/);
});

test("doctor without --mail sends nothing and says nothing about mail", async (t) => {
  const { relay, env } = await relayFor(t);
  const { exitCode, mail } = await doctor(t, env);
  assert.deepEqual([exitCode, mail, relay.connections()], [0, [], 0]);
});

test("doctor --mail tells why a mail did not go, with the cure, and keeps the password to itself", async (t) => {
  const { relay, env } = await relayFor(t);
  const told = async (with_: Record<string, string> = {}, to = "you@example.com") => {
    const { exitCode, mail, text } = await doctor(t, { ...env, ...with_ }, "--mail", to);
    assert.equal(exitCode, 1);
    assert.match(text, /Not everything is well: mail\./);
    assert.doesNotMatch(text, /canary/);
    return `${mail[0]?.found} ${mail[0]?.cure ?? ""}`;
  };
  relay.behave("550");
  assert.match(await told(), /did not take a trial for you@example\.com: .*No such user here.* Ask whoever runs/);
  relay.behave("421");
  assert.match(await told(), /Come back later/);
  relay.behave("close");
  assert.match(await told(), /Start the relay/);
  assert.match(await told({ SMTP_URL: `smtp://127.0.0.1:${await freePort()}` }), /ECONNREFUSED.* Start the relay/);
  assert.match(await told({ SMTP_URL: "", MAIL_FROM: "" }), /^Nothing was sent: .* Set SMTP_URL and MAIL_FROM\.$/);
  assert.match(await told({}, "no address"), /^no address is no e-mail address/);
  assert.match(await told({ MAIL_TEMPLATES: "/nowhere" }), /^MAIL_TEMPLATES=\/nowhere cannot be read/);
  const guarded = await relayFor(t, { login: { user: "ada", password: "right" } });
  const SMTP_URL = guarded.env["SMTP_URL"]?.replace("//", "//ada:canary@") ?? "";
  assert.match(await told({ SMTP_URL }), /Authentication failed.* Correct the user and password/);
  assert.deepEqual([...relay.taken, ...guarded.relay.taken], []);
});

/** What is said of accounts@news.example.com where DNS knows this; `name state` and a word of it for each check. */
async function domainChecks(t: TestContext, zone: Zone, selector?: string, from = "a@news.example.com") {
  const dns = await startDns(t, zone);
  const checks = await checkMailDomain(from, selector, createTxtLookup({ servers: [dns.address] }));
  return new Map(checks.map(({ name, state, found }) => [name, `${state}: ${found}`]));
}

test("what a domain says of its mail is judged by the RFCs", async (t) => {
  const spf = async (...records: string[]) =>
    (await domainChecks(t, { "news.example.com": ["other", ...records] })).get("mail SPF") ?? "";
  assert.match(await spf("v=spf1 ip4:192.0.2.1 ~all"), /^ok/);
  assert.match(await spf(), /^warning: news\.example\.com does not say/);
  assert.match(await spf("v=spf10 -all"), /^warning/);
  assert.match(await spf("v=spf1 -all", "v=spf1 ~all"), /^failed: .* has 2 SPF records/);
  assert.match(await spf("v=spf1 +all"), /^failed: .* lets everybody/);
  assert.match(await spf("v=spf1 all"), /^failed: .* lets everybody/);

  const dkim = async (zone: Zone, selector?: string) => (await domainChecks(t, zone, selector)).get("mail DKIM") ?? "";
  const key = "s1._domainkey.news.example.com";
  assert.match(await dkim({ [key]: ["k=rsa; p=MIGf"] }, "s1"), /^ok/);
  assert.match(await dkim({ [key]: ["v=DKIM1; p="] }, "s1"), /^failed: .* withdrawn/);
  assert.match(await dkim({}, "s1"), /^failed: There is no key/);
  assert.match(await dkim({ "_domainkey.news.example.com": [] }), /^ok: .* seems to have keys/);
  assert.match(await dkim({}), /^warning: .* seems to have no key/);

  const dmarc = async (zone: Zone) => (await domainChecks(t, zone)).get("mail DMARC") ?? "";
  assert.match(await dmarc({ "_dmarc.news.example.com": ["v=DMARC1; p=quarantine"] }), /^ok: .* asks to quarantine/);
  assert.match(
    await dmarc({ "_dmarc.example.com": ["v=DMARC1;p=reject"] }),
    /^ok: _dmarc\.example\.com asks to reject/,
  );
  assert.match(await dmarc({ "_dmarc.example.com": ["v=DMARC1; p=none"] }), /^warning: .*p=none/);
  assert.match(await dmarc({ "_dmarc.example.com": ["v=DMARC1; sp=none"] }), /^failed: .* names no policy/);
  assert.match(await dmarc({ "_dmarc.com": ["v=DMARC1; p=reject"] }), /^warning: .* does not say/);
});

test("a name service that is silent, or a sender without a domain, is said and waited for only so long", async (t) => {
  const dns = await startDns(t, "silent");
  const lookUp = createTxtLookup({ servers: [dns.address], deadlineMilliseconds: 200 });
  const checks = await checkMailDomain("a@example.com", undefined, lookUp);
  assert.deepEqual(
    checks.map(({ state, found }) => [state, found.split(" for ")[0]]),
    Array.from({ length: 3 }, () => ["warning", "Not looked at: nobody answers"]),
  );
  assert.ok(dns.asked.includes("_dmarc.example.com"));
  assert.deepEqual(
    [...(await domainChecks(t, {}, undefined, "tollgate@localhost")).values()],
    ["warning: MAIL_FROM is of localhost, which is no name on the Internet: there is nothing to look up."],
  );
});
