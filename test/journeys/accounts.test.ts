import assert from "node:assert/strict";
import { test } from "node:test";
import { createTestServer } from "../support/test-server.ts";

test("sign up, who am I, delete: the tutorial's way", async () => {
  const server = await createTestServer({}, {}, { conflicts: false });
  const made = await server.request("POST", "/users/", { body: { email: "alice@example.com", password: "secret" } });
  assert.equal(made.status, 201);
  assert.equal(made.headers["location"], "/users/1");
  assert.equal(made.headers["cache-control"], "no-store");
  assert.deepEqual(Object.keys(made.body).toSorted(), [
    "device_token",
    "expires_in",
    "refresh_count",
    "refresh_expires_in",
    "refresh_token",
    "session_id",
    "token",
    "token_type",
    "verification_flow",
  ]);
  assert.equal(made.body["token_type"], "Bearer");
  assert.equal(made.body["expires_in"], 900);
  const token = String(made.body["token"]);

  const me = await server.request("GET", "/users/me", { token });
  assert.equal(me.status, 200);
  assert.deepEqual(me.body, {
    id: 1,
    email: "alice@example.com",
    role: "user",
    email_verified: false,
    display_name: null,
    locale: null,
    disabled: false,
    created_at: "2026-01-15T12:00:00.000Z",
  });

  const gone = await server.request("DELETE", "/users/1", { token });
  assert.equal(gone.status, 204);
  assert.equal(gone.text, "");
  // ASVS 7.4.1 (requirement 47), V42: the token is over with the account, not at its expiry.
  const after = await server.request("GET", "/users/me", { token });
  assert.equal(after.status, 401);
  assert.equal(after.body["code"], "session-ended");
  assert.deepEqual(await server.events(), [
    "signing-key/created",
    "account/created",
    "session/started",
    "account/deleted",
  ]);
});

test("an e-mail address has one account, however it is typed", async () => {
  const server = await createTestServer();
  await server.signUp("alice@example.com");
  for (const email of ["alice@example.com", "ALICE@Example.COM", " alice@example.com "]) {
    const again = await server.request("POST", "/users/", { body: { email, password: "another one" } });
    assert.equal(again.status, 409, email);
    assert.equal(again.body["code"], "email-taken");
    assert.equal(again.body["detail"], "An account with this e-mail address exists. Sign in, or reset the password.");
    assert.equal(again.body["title"], "Email already registered");
    assert.equal(again.body["gate"], "handle");
    assert.equal(again.body["instance"], "/users/");
  }
  const accounts = await server.platform.db.selectFrom("accounts").select("email").execute();
  assert.deepEqual(
    accounts.map(({ email }) => email),
    ["alice@example.com"],
  );
});

test("a hundred sign-ups of one address at once make one account", async () => {
  // X19, I1
  const server = await createTestServer({ HASH_QUEUE: "1000" });
  const answers = await Promise.all(
    Array.from({ length: 100 }, (_, index) =>
      server.request("POST", "/users/", {
        body: { email: index % 2 === 0 ? "race@example.com" : "Race@Example.com", password: "password" },
      }),
    ),
  );
  assert.equal(answers.filter(({ status }) => status === 201).length, 1);
  assert.equal(answers.filter(({ status }) => status === 409).length, 99);
  assert.deepEqual(await server.events(), ["signing-key/created", "account/created", "session/started"]);
});

test("a wrong password and an unknown address get the same answer", async () => {
  // ASVS 6.3.8 (requirement 12), V7
  const server = await createTestServer();
  const { email } = await server.signUp("alice@example.com");
  const wrong = await server.request("POST", "/auth/login", { body: { email, password: "not the one" } });
  const unknown = await server.request("POST", "/auth/login", {
    body: { email: "nobody@example.com", password: "not the one" },
  });
  assert.equal(wrong.status, 401);
  assert.equal(wrong.body["code"], "wrong-credentials");
  const { request_id: first, ...wrongBody } = wrong.body;
  const { request_id: second, ...unknownBody } = unknown.body;
  assert.notEqual(first, second);
  assert.deepEqual(wrongBody, unknownBody);
  assert.deepEqual(Object.keys(wrong.headers).toSorted(), Object.keys(unknown.headers).toSorted());
  const { completed } = server.platform.passwordHasher.stats();
  assert.equal(completed, 3, "one hash for the sign-up, one for each sign-in");
});

test("signing in makes a new session each time, and all of them work", async () => {
  // ASVS 7.2.4 (requirement 53)
  const server = await createTestServer();
  const { email, password, token } = await server.signUp("alice@example.com");
  const second = await server.logIn(email, password);
  const sidOf = (one: string): unknown =>
    (JSON.parse(Buffer.from(one.split(".")[1] ?? "", "base64url").toString()) as { sid: unknown }).sid;
  assert.notEqual(sidOf(token), sidOf(second));
  assert.equal((await server.request("GET", "/users/me", { token })).status, 200);
  assert.equal((await server.request("GET", "/users/me", { token: second })).status, 200);
});

test("a display name is set, cleared and left alone", async () => {
  const server = await createTestServer();
  const { token } = await server.signUp("alice@example.com");
  const patch = (body: unknown) => server.request("PATCH", "/users/me", { token, body });
  assert.equal((await patch({ display_name: "Alice 🦊 O’Neill" })).body["display_name"], "Alice 🦊 O’Neill");
  assert.equal((await patch({})).body["display_name"], "Alice 🦊 O’Neill");
  assert.equal((await patch({ display_name: null })).body["display_name"], null);
  for (const display_name of ["", "a\nb", "a\u0000", "\ud800", "x".repeat(101), 7, ["a"], { a: 1 }]) {
    const refused = await patch({ display_name });
    assert.equal(refused.status, 422, JSON.stringify(display_name));
    assert.deepEqual(
      (refused.body["errors"] as { pointer: string }[]).map(({ pointer }) => pointer),
      ["#/display_name"],
    );
  }
  assert.equal((await server.request("GET", "/users/me", { token })).body["display_name"], null);
});

test("another password ends the other sessions and keeps this one", async () => {
  // ASVS 7.4.3 (requirement 52), 6.2.3 (requirement 8)
  const server = await createTestServer();
  const { email, password, token } = await server.signUp("alice@example.com");
  const other = await server.logIn(email, password);
  const change = (current_password: string, new_password: string) =>
    server.request("PUT", "/users/me/password", { token, body: { current_password, new_password } });

  const refused = await change("not the one", "new password");
  assert.equal(refused.status, 403);
  assert.equal(refused.body["code"], "wrong-password");
  assert.equal((await server.request("GET", "/users/me", { token: other })).status, 200);

  assert.equal((await change(password, "new password")).status, 204);
  assert.equal((await server.request("GET", "/users/me", { token })).status, 200);
  assert.equal((await server.request("GET", "/users/me", { token: other })).body["code"], "session-ended");
  assert.equal((await server.request("POST", "/auth/login", { body: { email, password } })).status, 401);
  await server.logIn(email, "new password");
});

test("somebody else's account is not there, and mine can be read", async () => {
  // ASVS 8.2.2 (requirement 80): no oracle.
  const server = await createTestServer();
  const alice = await server.signUp("alice@example.com");
  const bob = await server.signUp("bob@example.com");
  assert.equal((await server.request("GET", `/users/${alice.id}`, { token: alice.token })).body["email"], alice.email);
  for (const method of ["GET", "DELETE"]) {
    const existing = await server.request(method, `/users/${bob.id}`, { token: alice.token });
    const missing = await server.request(method, "/users/999", { token: alice.token });
    assert.equal(existing.status, 404);
    assert.equal(existing.body["code"], "user-not-found");
    assert.equal(existing.body["detail"], missing.body["detail"]);
  }
  assert.equal((await server.request("GET", "/users/me", { token: bob.token })).status, 200);
});

test("an id that is no whole number is 422, one that nobody has is 404", async () => {
  const server = await createTestServer();
  const { id: known, token } = await server.signUp("alice@example.com");
  for (const id of ["abc", "1.5", "1e3", "+1", "0x1", "%20", "1%00", "١"]) {
    const answer = await server.request("GET", `/users/${encodeURI(id)}`, { token });
    assert.equal(answer.status, 422, id);
    assert.deepEqual((answer.body["errors"] as { pointer: string }[])[0]?.pointer, "/id");
  }
  for (const id of ["0", "-1", String(known + 1), "99999999999999999999999999"]) {
    assert.equal((await server.request("GET", `/users/${id}`, { token })).status, 404, id);
  }
});

test("the fixed words win over ids, with every method", async () => {
  const server = await createTestServer();
  const { token } = await server.signUp("alice@example.com");
  assert.equal((await server.request("GET", "/users/me", { token })).status, 200);
  assert.equal((await server.request("GET", "/users/limited?client_id=x")).status, 200);
  const deleteMe = await server.request("DELETE", "/users/me", { token });
  assert.equal(deleteMe.status, 405);
  assert.equal(deleteMe.headers["allow"], "GET, HEAD, PATCH");
  assert.equal((await server.request("DELETE", "/users/limited", { token })).headers["allow"], "GET, HEAD");
  assert.equal((await server.request("GET", "/users/me", { token })).status, 200);
});
