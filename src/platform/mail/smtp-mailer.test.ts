import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, test } from "node:test";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import PostalMime from "postal-mime";
import { freePort } from "../../../test/support/server-process.ts";
import { certificatePath, type RelayOptions, startRelay, type TestRelay } from "../../../test/support/smtp-relay.ts";
import type { Mailer } from "./mailer.ts";
import { mail, mailerConformance } from "./mailer-conformance.ts";
import { createSmtpMailer, type SmtpMailerOptions } from "./smtp-mailer.ts";

const sender = { from: "accounts@example.com", replyTo: "help@example.com", productName: 'Example, "Inc"' };
const trusted = getCACertificates("default");

async function relayFor(
  options: RelayOptions = {},
  relay: Partial<SmtpMailerOptions["relay"]> = {},
  deadlineMilliseconds?: number,
): Promise<{ readonly relay: TestRelay; readonly mailer: Mailer }> {
  const started = await startRelay(options);
  after(() => started.close());
  const { user, password } = options.login ?? {};
  const settings = { host: "127.0.0.1", port: started.port, isTls: options.tls === "tls", user, password, ...relay };
  const bound = deadlineMilliseconds === undefined ? {} : { deadlineMilliseconds };
  return { relay: started, mailer: createSmtpMailer({ ...sender, ...bound, relay: settings }) };
}

mailerConformance("smtp", async () => {
  const { relay, mailer } = await relayFor();
  const arrived = () =>
    Promise.all(
      relay.taken.map(async ({ to, raw }) => {
        const { subject = "", text = "", html = "" } = await PostalMime.parse(raw);
        return { to, subject, text, html };
      }),
    );
  return { mailer, arrived };
});

test("a mail says who sent it, when, to whom answers go, and that no person wrote it", async () => {
  const { relay, mailer } = await relayFor();
  const outcome = await mailer.send(mail);
  assert.deepEqual(outcome, { kind: "accepted", words: "250 2.0.0 Queued as 4711" });
  const [taken] = relay.taken;
  assert.ok(taken);
  const { raw, from } = taken;
  const parsed = await PostalMime.parse(raw);
  assert.equal(from, "accounts@example.com");
  assert.deepEqual(parsed.from, { name: 'Example, "Inc"', address: "accounts@example.com" });
  assert.deepEqual(parsed.to, [{ name: "", address: mail.to }]);
  assert.deepEqual(parsed.replyTo, [{ name: "", address: "help@example.com" }]);
  assert.equal(parsed.messageId, "<4f9d1c@example.com>");
  assert.equal(parsed.date, "2026-01-15T12:00:00.000Z");
  assert.match(raw, /^Auto-Submitted: auto-generated\r$/m);
  assert.doesNotMatch(raw, /^(?:X-Mailer|User-Agent|Cc|Bcc):/im);
});

test("what is no bare address goes nowhere, and nobody else gets it", async () => {
  // CVE-2025-13033, CVE-2022-35924 (V22): each of these once meant another address, or one more.
  const { relay, mailer } = await relayFor();
  const hostile = [
    "b@x.test\r\nBcc: evil@x.test",
    "a@x.test,evil@x.test",
    "a@x.test;evil@x.test",
    '"evil@x.test a"@x.test',
    "a@x.test <evil@x.test>",
    "<evil@x.test>",
    "evil@x.test(a@x.test)",
    "group:evil@x.test;",
    "a@x.test evil@x.test",
    "a@evil.test@x.test",
    "a@x.test> RCPT TO:<evil@x.test",
    "a@bücher.test",
    "ａ@x.test",
    "@x.test",
    "a@",
    "",
  ];
  for (const to of hostile) {
    const { kind } = await mailer.send({ ...mail, to });
    assert.equal(kind, "refused", to);
  }
  assert.equal(relay.connections(), 0);
});

test("a subject and a text cannot add headers or end the mail", async () => {
  const { relay, mailer } = await relayFor();
  const subject = "Hello\r\nBcc: evil@x.test\r\n\r\nbody";
  await mailer.send({ ...mail, subject, text: "one\r\n.\r\nMAIL FROM:<evil@x.test>\r\n" });
  const [taken, ...others] = relay.taken;
  assert.deepEqual(others, []);
  assert.deepEqual(taken?.to, [mail.to]);
  const parsed = await PostalMime.parse(taken.raw);
  assert.equal(parsed.bcc, undefined);
  assert.match(parsed.text ?? "", /^one\r?\n\.\r?\nMAIL FROM/);
});

test("each way in which a relay fails is told apart, with its words", async () => {
  const { relay, mailer } = await relayFor({}, {}, 400);
  const expected = {
    good: ["accepted", "250 2.0.0 Queued as 4711"],
    "421": ["deferred", "421 4.3.2 Come back later"],
    "550": ["refused", "550 5.1.1 No such user here"],
    "554": ["refused", "554 5.7.1 Not wanted"],
    hang: ["deferred", "no answer in time"],
    close: ["deferred", "Connection closed unexpectedly"],
    "hang-after-data": ["uncertain", "no answer in time"],
    "close-after-data": ["uncertain", "Connection closed unexpectedly"],
  } as const;
  for (const [mode, [kind, words]] of Object.entries(expected)) {
    relay.behave(mode as keyof typeof expected);
    assert.deepEqual(await mailer.send(mail), { kind, words }, mode);
  }
});

test("no relay at all, and a server that stops, are later", async () => {
  const port = await freePort();
  const nobody = createSmtpMailer({
    ...sender,
    relay: { host: "127.0.0.1", port, isTls: false, user: undefined, password: undefined },
  });
  const { kind, words } = await nobody.send(mail);
  assert.equal(kind, "deferred");
  assert.match(words, /ECONNREFUSED/);

  const { relay, mailer } = await relayFor();
  relay.behave("hang");
  const stop = new AbortController();
  const sending = mailer.send(mail, stop.signal);
  stop.abort();
  assert.deepEqual(await sending, { kind: "deferred", words: "this server is stopping" });
});

test("a password goes over TLS with a certificate that holds, or not at all", async (t) => {
  const login = { user: "tollgate", password: "canary-password" };
  for (const tls of ["starttls", "tls"] as const) {
    const { relay, mailer } = await relayFor({ tls, login });
    const untrusted = await mailer.send(mail);
    assert.equal(untrusted.kind, "deferred", tls);
    assert.match(untrusted.words, /self-signed certificate/);
    assert.equal(relay.taken.length, 0);

    setDefaultCACertificates([...trusted, readFileSync(certificatePath, "utf8")]);
    t.after(() => setDefaultCACertificates(trusted));
    assert.equal((await mailer.send(mail)).kind, "accepted", tls);
    assert.equal(relay.taken[0]?.isTls, true);
    assert.equal(relay.taken[0]?.user, "tollgate");
    setDefaultCACertificates(trusted);
  }
});

test("a relay that offers no TLS gets no password, unless it is this machine", async () => {
  const login = { user: "tollgate", password: "canary-password" };
  const onThisMachine = await relayFor({ login });
  assert.equal((await onThisMachine.mailer.send(mail)).kind, "accepted");
  assert.equal(onThisMachine.relay.taken[0]?.user, "tollgate");

  // Another name of this machine that does not look like it.
  const elsewhere = await relayFor({ login }, { host: "0.0.0.0" });
  const { kind, words } = await elsewhere.mailer.send(mail);
  assert.equal(kind, "deferred");
  assert.match(words, /STARTTLS/i);
  assert.doesNotMatch(words, /canary/);
  assert.deepEqual(elsewhere.relay.taken, []);
});

test("a wrong password is the operator's to mend, not the mail's fault", async () => {
  const { relay, mailer } = await relayFor({ login: { user: "a", password: "b" } }, { password: "canary-wrong" });
  const outcome = await mailer.send(mail);
  assert.equal(outcome.kind, "deferred");
  assert.match(outcome.words, /^535 /);
  assert.doesNotMatch(outcome.words, /canary/);
  assert.deepEqual(relay.taken, []);
});
