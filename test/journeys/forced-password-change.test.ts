import assert from "node:assert/strict";
import { test } from "node:test";
import { createPasswordHasher } from "../../src/platform/hashing/argon2-password-hasher.ts";
import { type Answer, createTestServer, type SignedIn, type TestServer } from "../support/test-server.ts";

// ASVS 6.2.10, NIST SP 800-63B-4 §3.1.1.2 (requirement 9): no change by the calendar, one when somebody else may know it.

async function requireChange(server: TestServer, admin: SignedIn, id: number, required = true): Promise<Answer> {
  return server.request("PATCH", `/admin/users/${id}`, {
    token: admin.token,
    body: { password_change_required: required },
  });
}

async function signIn(server: TestServer, body: Record<string, string>): Promise<Answer> {
  return server.request("POST", "/auth/login", { body });
}

function faultsOf(answer: Answer): string[] {
  assert.equal(answer.status, 422, answer.text);
  return (answer.body["errors"] as { pointer: string; code: string }[]).map(
    ({ pointer, code }) => `${pointer} ${code}`,
  );
}

test("an administrator requires it: the sessions end at once, and it is on record who did it", async () => {
  const server = await createTestServer();
  const admin = await server.administrator();
  const { body: tokens } = await server.request("POST", "/users/", {
    body: { email: "alice@example.com", password: "password" },
  });
  const token = String(tokens["token"]);
  const me = (await server.request("GET", "/users/me", { token })).body;
  assert.equal("password_change_required" in me, false, "told to administrators alone");
  const id = Number(me["id"]);
  assert.equal("password_change_required" in (await server.request("GET", `/users/${id}`, { token })).body, false);
  const before = await server.events();

  const required = await requireChange(server, admin, id);
  assert.deepEqual(required.body, { ...me, password_change_required: true });
  const ended = await server.request("GET", "/users/me", { token });
  assert.equal(ended.body["code"], "session-ended");
  const refreshed = await server.request("POST", "/auth/refresh", { body: { refresh_token: tokens["refresh_token"] } });
  assert.equal(refreshed.body["reason"], "revoked");
  const listed = await server.request("GET", "/admin/users?q=alice", { token: admin.token });
  assert.deepEqual(listed.body["items"], [{ ...me, password_change_required: true }]);
  assert.deepEqual((await server.request("GET", `/users/${id}`, { token: admin.token })).body, {
    ...me,
    password_change_required: true,
  });

  await requireChange(server, admin, id);
  assert.deepEqual((await server.events()).slice(before.length), ["password/change-required", "session/ended"]);
  const events = await server.platform.db.selectFrom("events").selectAll().orderBy("id", "desc").limit(2).execute();
  for (const event of events) {
    assert.deepEqual([event.actor_id, event.account_id], [admin.id, id]);
    assert.ok(event.request_id && event.address);
  }
  assert.deepEqual(JSON.parse(events[0]?.payload ?? ""), { reason: "password-change-required" });

  assert.equal((await requireChange(server, admin, id, false)).body["password_change_required"], false);
  await server.logIn("alice@example.com", "password");
  assert.deepEqual((await server.events()).slice(-2), ["password/change-waived", "session/started"]);
});

test("only users:write may, and only with true or false; oneself is not spared", async () => {
  const server = await createTestServer();
  const admin = await server.administrator();
  const alice = await server.signUp("alice@example.com");
  const refused = await requireChange(server, alice, admin.id);
  assert.equal(refused.body["missing_permission"], "users:write");
  for (const value of ["yes", 1, null, {}]) {
    const answer = await server.request("PATCH", `/admin/users/${alice.id}`, {
      token: admin.token,
      body: { password_change_required: value },
    });
    assert.deepEqual(faultsOf(answer), ["#/password_change_required type"]);
  }
  await server.logIn(alice.email, alice.password);
  assert.equal((await requireChange(server, admin, admin.id)).status, 200);
  assert.equal((await server.request("GET", "/users/me", { token: admin.token })).body["code"], "session-ended");
  assert.equal((await signIn(server, { email: admin.email, password: admin.password })).status, 403);
});

test("the right password alone starts no session; with a new one it does, in one step", async () => {
  const server = await createTestServer();
  const admin = await server.administrator();
  const { id, email, password } = await server.signUp("alice@example.com");
  await requireChange(server, admin, id);
  const before = await server.events();

  const refused = await signIn(server, { email, password, delivery: "cookie" });
  assert.equal(refused.status, 403);
  assert.equal(refused.body["code"], "password-change-required");
  assert.equal(refused.body["gate"], "authorize");
  assert.equal(refused.headers["set-cookie"], undefined);
  assert.equal("token" in refused.body, false);
  const wrong = await signIn(server, { email, password: "a guess", new_password: "another password" });
  const unknown = await signIn(server, { email: "no@example.com", password: "a guess", new_password: "another one" });
  for (const answer of [wrong, unknown]) assert.equal(answer.body["code"], "wrong-credentials");
  assert.deepEqual({ ...wrong.body, request_id: "" }, { ...unknown.body, request_id: "" });
  assert.deepEqual(await server.events(), before, "nothing happened");

  const changed = await signIn(server, { email, password, new_password: "another password" });
  assert.equal(changed.status, 200);
  assert.deepEqual((await server.events()).slice(before.length), ["password/changed", "session/started"]);
  assert.equal((await server.request("GET", "/users/me", { token: String(changed.body["token"]) })).status, 200);
  assert.equal((await signIn(server, { email, password })).body["code"], "wrong-credentials");
  await server.logIn(email, "another password");
  const account = await server.request("GET", `/users/${id}`, {
    token: await server.logIn(admin.email, admin.password),
  });
  assert.equal(account.body["password_change_required"], false);
});

test("the new password keeps the policy, and is never the old one again", async () => {
  const server = await createTestServer({
    TOLLGATE_MODE: "production",
    PUBLIC_URL: "https://auth.example.com",
    SECRET_KEY: "0123456789abcdef0123456789abcdef",
    ARGON2_MEMORY_KIB: "19456",
    ARGON2_PASSES: "2",
  });
  const admin = await server.administrator();
  const { id, email, token } = await server.signUp("margarethe@example.com", "Zo\u00e9 was here all day");
  const password = "Zo\u00e9 was here all day";
  await server.request("PATCH", "/users/me", { token, body: { display_name: "Brandenburg" } });
  await requireChange(server, admin, id);
  const before = await server.events();
  const attempt = (next: string) => signIn(server, { email, password, new_password: next });
  assert.deepEqual(faultsOf(await attempt("short")), ["#/new_password too-short"]);
  assert.deepEqual(faultsOf(await attempt("passwordpassword")), ["#/new_password common"]);
  assert.deepEqual(faultsOf(await attempt("here comes margarethe!")), ["#/new_password context"]);
  assert.deepEqual(faultsOf(await attempt("a gate in brandenburg")), ["#/new_password context"]);
  assert.deepEqual(faultsOf(await attempt(password)), ["#/new_password unchanged"]);
  assert.deepEqual(faultsOf(await attempt("Zoe\u0301 was here all day")), ["#/new_password unchanged"]);
  assert.deepEqual(faultsOf(await attempt(`${"x".repeat(20)}\ud800`)), ["#/new_password unicode"]);
  assert.deepEqual(await server.events(), before, "nothing happened");
  assert.equal((await signIn(server, { email, password })).body["code"], "password-change-required");
  assert.equal((await attempt("a long and different phrase")).status, 200);
});

test("nobody else may change a password by signing in, and nobody learns more by trying", async () => {
  const server = await createTestServer({ LIMIT_LOGIN_ACCOUNT: "3/15m" });
  const { email, password } = await server.signUp("alice@example.com");
  const next = { new_password: "another password" };
  for (let count = 0; count < 5; count += 1) {
    assert.deepEqual(faultsOf(await signIn(server, { email, password, ...next })), ["#/new_password not-required"]);
  }
  await server.logIn(email, password);
  for (let count = 0; count < 3; count += 1) {
    assert.equal((await signIn(server, { email, password: "a guess", ...next })).body["code"], "wrong-credentials");
  }
  assert.equal((await signIn(server, { email, password, ...next })).status, 429, "a guess is a guess");
});

test("what keeps the door shut undoes the change, too", async () => {
  const server = await createTestServer();
  const admin = await server.administrator();
  const { id, email, password } = await server.signUp("alice@example.com");
  await requireChange(server, admin, id);
  const change = (body: object) => server.request("PATCH", `/admin/users/${id}`, { token: admin.token, body });
  await change({ disabled: true });
  const before = await server.events();
  const refused = await signIn(server, { email, password, new_password: "another password" });
  assert.equal(refused.body["code"], "account-disabled");
  assert.deepEqual(await server.events(), before);
  await change({ disabled: false });
  assert.equal((await signIn(server, { email, password })).body["code"], "password-change-required");
});

test("of twenty who change it at once, one does", async () => {
  const server = await createTestServer({ HASH_QUEUE: "100" });
  const admin = await server.administrator();
  const { id, email, password } = await server.signUp("alice@example.com");
  await requireChange(server, admin, id);
  const answers = await Promise.all(
    Array.from({ length: 20 }, (_, index) => signIn(server, { email, password, new_password: `new one ${index}` })),
  );
  const winners = answers.flatMap(({ status }, index) => (status === 200 ? [index] : []));
  assert.equal(winners.length, 1);
  for (const { status, body } of answers.filter(({ status }) => status !== 200)) {
    assert.deepEqual([status, body["code"]], [401, "wrong-credentials"]);
  }
  await server.logIn(email, `new one ${winners[0]}`);
  assert.equal((await server.events()).filter((type) => type === "password/changed").length, 1);
});

test("who is changing the password from a session that is being ended does not change it", async () => {
  // The thief's request is under way while the administrator acts: its session is over when the hash is done.
  const hasher = createPasswordHasher({
    threads: 1,
    queueMax: 10,
    deadlineMilliseconds: 5_000,
    parameters: { memoryKibibytes: 8, passes: 1, parallelism: 1 },
  });
  let meanwhile = async (): Promise<void> => undefined;
  const passwordHasher = {
    ...hasher,
    verify: async (phc: string, given: string) => {
      await meanwhile();
      return hasher.verify(phc, given);
    },
  };
  const server = await createTestServer({}, { passwordHasher });
  const admin = await server.administrator();
  const { id, email, password } = await server.signUp("alice@example.com");
  const thief = async (method: string, url: string, body: object): Promise<Answer> => {
    const token = await server.logIn(email, password);
    meanwhile = async () => {
      meanwhile = async () => undefined;
      await requireChange(server, admin, id);
    };
    const answer = await server.request(method, url, { token, body });
    await requireChange(server, admin, id, false);
    return answer;
  };
  const change = { current_password: password, new_password: "the thief's own" };
  assert.equal((await thief("PUT", "/users/me/password", change)).body["code"], "session-ended");
  assert.equal((await thief("POST", "/auth/reauthenticate", { password })).body["code"], "session-ended");
  await server.logIn(email, password);
  const events = await server.events();
  assert.equal(events.includes("password/changed") || events.includes("session/reauthenticated"), false);
});

test("in five years nobody is made to change a password by the calendar", async () => {
  const server = await createTestServer();
  const { email, password } = await server.signUp("alice@example.com");
  server.clock.advance(5 * 365.25 * 86_400_000);
  const answer = await signIn(server, { email, password });
  assert.equal(answer.status, 200);
  const token = String(answer.body["token"]);
  assert.equal((await server.request("GET", "/users/me", { token })).status, 200);
  const { id } = (await server.request("GET", "/users/me", { token })).body as { id: number };
  const admin = await server.administrator();
  const seen = await server.request("GET", `/users/${id}`, { token: admin.token });
  assert.equal(seen.body["password_change_required"], false);
});
