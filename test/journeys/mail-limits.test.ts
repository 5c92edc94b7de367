import assert from "node:assert/strict";
import { test } from "node:test";
import { type Answer, createTestServer, type TestServer } from "../support/test-server.ts";

const mailsMax = 3;
const quiet = { LIMIT_MAIL_ACCOUNT: `${mailsMax}/1h`, SIGN_IN_BY_MAIL: "on", EMAIL_VERIFICATION: "required" };

const flows = ["/auth/forgot-password", "/auth/magic", "/auth/verification", "/users/"];

function ask(server: TestServer, url: string, email: string, address?: string): Promise<Answer> {
  const password = url === "/users/" ? { password: "correct horse battery staple" } : {};
  return server.request("POST", url, { body: { email, ...password }, ...(address === undefined ? {} : { address }) });
}

async function countMails(server: TestServer): Promise<number> {
  return (await server.platform.db.selectFrom("mails").select("id").execute()).length;
}

test("each flow has its own few mails for an address, known or not, from wherever they are asked for", async () => {
  const server = await createTestServer(quiet);
  await ask(server, "/users/", "alice@example.com");
  server.clock.advance(3_600_000);
  for (const email of ["alice@example.com", "nobody@example.com"]) {
    // Signing up comes last: it makes the unknown one known.
    for (const url of flows) {
      // The sign-up and its other mail are one flow.
      server.clock.advance(3_600_000);
      const before = await countMails(server);
      for (let time = 0; time < mailsMax; time += 1) {
        const typed = time % 2 === 0 ? email : ` ${email.toUpperCase()} `.replace("EXAMPLE.COM", "Example.com");
        assert.equal((await ask(server, url, typed, `192.0.2.${time}`)).status, 202, url);
      }
      const refused = await ask(server, url, email, "198.51.100.1");
      assert.equal(refused.status, 429, `${url} ${email}`);
      assert.equal(refused.headers["retry-after"], "3600");
      assert.equal(await countMails(server), before + mailsMax, "and no other mail was written");
    }
  }
});

test("another address is asked for a few times only: for one account, and for one address", async () => {
  const server = await createTestServer({ LIMIT_MAIL_ACCOUNT: `${mailsMax}/1h` });
  const change = (token: string, email: string) =>
    server.request("POST", "/users/me/email", { token, body: { email } });
  const alice = await server.signUp("alice@example.com");
  for (let time = 0; time < mailsMax; time += 1) {
    assert.equal((await change(alice.token, `next${time}@example.com`)).status, 202);
  }
  assert.equal((await change(alice.token, "yet-another@example.com")).status, 429, "of one account to many addresses");
  const others = [];
  for (let index = 0; index <= mailsMax; index += 1) others.push(await server.signUp(`other${index}@example.com`));
  const answers = [];
  for (const { token } of others) answers.push((await change(token, "victim@example.com")).status);
  assert.deepEqual(answers, [202, 202, 202, 429], "of many accounts to one address");
});

test("one place asks for so many mails, and tries so many links and codes", async () => {
  const server = await createTestServer({
    LIMIT_MAIL_ADDRESS: "2/1h",
    LIMIT_MAIL_PROOF: "2/10m",
    SIGN_IN_BY_MAIL: "on",
  });
  const { token } = await server.signUp("alice@example.com");
  for (const url of ["/auth/forgot-password", "/auth/magic"]) {
    assert.equal((await ask(server, url, "a@example.com")).status, 202);
  }
  for (const url of ["/auth/verification", "/auth/magic", "/auth/forgot-password"]) {
    assert.equal((await ask(server, url, "b@example.com")).status, 429, url);
  }
  assert.equal((await ask(server, "/auth/verification", "b@example.com", "198.51.100.1")).status, 202, "elsewhere");
  const mine = () => server.request("POST", "/users/me/email", { token, body: { email: "c@example.com" } });
  assert.deepEqual([(await mine()).status, (await mine()).status, (await mine()).status], [202, 202, 429], "by user");

  const doors = ["verify-email", "reset-password", "change-email", "magic/complete", "undo-email-change", "not-me"];
  const more = (door: string) => (door === "reset-password" ? { new_password: "another fine password" } : {});
  const statuses = [];
  for (const door of doors) {
    const body = { token: "tgm_unknown", ...more(door) };
    statuses.push((await server.request("POST", `/auth/${door}`, { body })).status);
  }
  assert.deepEqual(statuses, [410, 410, 429, 429, 429, 429], "all doors together");
});
