import assert from "node:assert/strict";
import { test } from "node:test";
import { createTestServer, type TestServer } from "../support/test-server.ts";

const next = "another fine password";

async function account(server: TestServer, email: string): Promise<Record<string, unknown>> {
  const row = await server.platform.db
    .selectFrom("accounts")
    .selectAll()
    .where("email_canonical", "=", email)
    .executeTakeFirstOrThrow();
  return { ...row };
}

async function isSignedIn(server: TestServer, token: string): Promise<boolean> {
  return (await server.request("GET", "/users/me", { token })).status === 200;
}

/** What happened since `count` events ago. */
async function eventsAfter(server: TestServer, count: number): Promise<readonly string[]> {
  return (await server.events()).slice(count);
}

test("a new account confirms its address by the link, once", async () => {
  const server = await createTestServer();
  const { token, email } = await server.signUp("alice@example.com");
  const [mail, ...others] = await server.mails();
  assert.deepEqual(others, []);
  assert.equal(mail?.to, email);
  assert.equal(mail.subject, "Confirm your e-mail address");
  assert.equal(mail.page, "/mail/verify");
  const before = (await server.events()).length;
  const confirm = () => server.request("POST", "/auth/verify-email", { body: { token: mail.token } });
  assert.equal((await confirm()).status, 204);
  assert.equal((await server.request("GET", "/users/me", { token })).body["email_verified"], true);
  assert.deepEqual(await eventsAfter(server, before), ["account/email-verified"]);
  const again = await confirm();
  assert.equal(again.status, 410);
  assert.equal(again.body["code"], "link-refused");
  assert.equal(again.body["reason"], "used");
  assert.equal((await eventsAfter(server, before)).length, 1);
});

test("the code of the same mail works on another device, with the flow of the sign-up and no other", async () => {
  // ASVS 6.5.5, 6.6.2 (requirement 27)
  const server = await createTestServer();
  const signUp = async (email: string) =>
    String(
      (await server.request("POST", "/users/", { body: { email, password: "secret" } })).body["verification_flow"],
    );
  const [alicesFlow, bobsFlow] = [await signUp("alice@example.com"), await signUp("bob@example.com")];
  const [alices, bobs] = await server.mails();
  assert.ok(alices && bobs);
  const confirm = (flow: string, code: string) =>
    server.request("POST", "/auth/verify-email", { body: { flow, code } });
  for (const [flow, code] of [
    [alicesFlow, bobs.code],
    [bobsFlow, alices.code],
    ["tgf_unknown", alices.code],
  ] as const) {
    const refused = await confirm(flow, code);
    assert.equal(refused.status, 403);
    assert.equal(refused.body["code"], "wrong-code");
  }
  assert.equal((await account(server, "alice@example.com"))["email_verified"], 0);
  assert.equal((await confirm(alicesFlow, ` ${alices.code.toLowerCase().replace("-", " ")}`)).status, 204);
  assert.equal((await account(server, "alice@example.com"))["email_verified"], 1);
  assert.equal((await account(server, "bob@example.com"))["email_verified"], 0);
});

test("a forgotten password: the mail lets choose another one, ends all sessions and starts none", async () => {
  // ASVS 6.4.3 (requirement 16)
  const server = await createTestServer();
  const { token, email, password } = await server.signUp("alice@example.com");
  await server.mails();
  const before = (await server.events()).length;
  const asked = await server.request("POST", "/auth/forgot-password", { body: { email: " ALICE@example.com " } });
  assert.equal(asked.status, 202);
  assert.deepEqual(Object.keys(asked.body), ["flow"]);
  const mail = (await server.mails()).at(-1);
  assert.equal(mail?.to, email, "the stored address, not the one that was typed");
  assert.equal(mail.page, "/mail/reset");
  assert.equal(await isSignedIn(server, token), true, "asking changes nothing");

  const done = await server.request("POST", "/auth/reset-password", {
    body: { token: mail.token, new_password: next },
  });
  assert.equal(done.status, 204);
  assert.equal(done.text, "");
  assert.equal(done.headers["set-cookie"], undefined);
  assert.equal(await isSignedIn(server, token), false);
  assert.equal((await server.request("POST", "/auth/login", { body: { email, password } })).status, 401);
  await server.logIn(email, next);
  assert.deepEqual(await eventsAfter(server, before), [
    "account/email-verified",
    "session/ended",
    "password/reset",
    "session/started",
  ]);
  assert.deepEqual(
    (await server.mails()).slice(2).map(({ subject }) => subject),
    ["Your password was changed"],
  );
});

test("another address: confirmed at the new one, and the old one has the way back", async () => {
  // ASVS 6.3.7 (requirement 18)
  const server = await createTestServer();
  const { token, email, password, id } = await server.signUp("alice@example.com");
  const [confirmation] = await server.mails();
  await server.request("POST", "/auth/verify-email", { body: { token: confirmation?.token } });
  const ask = await server.request("POST", "/users/me/email", { token, body: { email: "Alice@New.example" } });
  assert.equal(ask.status, 202);
  const question = (await server.mails()).at(-1);
  assert.equal(question?.to, "Alice@new.example");
  assert.equal((await server.request("GET", "/users/me", { token })).body["email"], email, "nothing has changed yet");

  assert.equal((await server.request("POST", "/auth/change-email", { body: { token: question.token } })).status, 204);
  const me = await server.request("GET", "/users/me", { token });
  assert.equal(me.body["email"], "Alice@New.example");
  assert.equal(me.body["email_verified"], true);
  // Mails of one moment go out side by side: either may be first.
  const told = (await server.mails()).slice(2);
  assert.deepEqual(told.map(({ to }) => to).toSorted(), ["Alice@new.example", email]);
  const toOld = told.find(({ to }) => to === email);
  assert.equal(toOld?.page, "/mail/undo-email-change");
  assert.match(toOld.text, /Alice@New\.example/);

  const undone = await server.request("POST", "/auth/undo-email-change", { body: { token: toOld.token } });
  assert.equal(undone.status, 204);
  assert.equal((await account(server, email))["id"], id);
  assert.equal(await isSignedIn(server, token), false);
  assert.equal((await server.request("POST", "/auth/login", { body: { email, password } })).status, 401);
  const reset = (await server.mails()).at(-1);
  assert.equal(reset?.to, email);
  const done = await server.request("POST", "/auth/reset-password", {
    body: { token: reset.token, new_password: next },
  });
  assert.equal(done.status, 204);
  await server.logIn(email, next);
});
