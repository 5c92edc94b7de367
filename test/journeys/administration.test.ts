import assert from "node:assert/strict";
import { test } from "node:test";
import { createTestServer } from "../support/test-server.ts";

test("a user may not list accounts and is told which permission is missing", async () => {
  // V40; RFC 6750 §3.1 (requirement 68)
  const server = await createTestServer();
  const { token } = await server.signUp("alice@example.com");
  for (const url of ["/admin/users", "/users/", "/users"]) {
    const refused = await server.request("GET", url, { token });
    assert.equal(refused.status, 403, url);
    assert.equal(refused.body["code"], "permission-denied");
    assert.equal(refused.body["missing_permission"], "users:read");
    assert.equal(refused.body["gate"], "authorize");
    assert.match(refused.headers["www-authenticate"] ?? "", /^Bearer error="insufficient_scope"/);
  }
});

test("an administrator pages through all accounts, each exactly once", async () => {
  const server = await createTestServer();
  const { token } = await server.administrator();
  for (let index = 0; index < 7; index += 1) await server.signUp(`user${index}@example.com`);
  const emails: string[] = [];
  let url: string | undefined = "/admin/users?limit=3&q=";
  for (let page = 0; url !== undefined && page < 10; page += 1) {
    const { status, body, headers } = await server.request("GET", url, { token });
    assert.equal(status, 200);
    emails.push(...(body["items"] as { email: string }[]).map(({ email }) => email));
    url = /^<([^>]+)>; rel="next"$/.exec(headers["link"] ?? "")?.[1];
    assert.equal(url === undefined, body["next_cursor"] === null);
  }
  assert.deepEqual(emails, [
    "admin@example.com",
    ...Array.from({ length: 7 }, (_, index) => `user${index}@example.com`),
  ]);
});

test("searching finds the beginnings of words in addresses and names, whatever their case", async () => {
  const server = await createTestServer();
  const { token } = await server.administrator();
  const alice = await server.signUp("alice@example.com");
  const bob = await server.signUp("bob.alba@example.org");
  await server.request("PATCH", "/users/me", { token: alice.token, body: { display_name: "100% Zoë O'Neil" } });
  const find = async (text: string): Promise<unknown[]> => {
    const { body } = await server.request("GET", `/admin/users?q=${encodeURIComponent(text)}`, { token });
    return (body["items"] as { email: string }[]).map(({ email }) => email);
  };
  assert.deepEqual(await find("ALICE@"), ["alice@example.com"]);
  assert.deepEqual(await find("100% neil zoe"), ["alice@example.com"]);
  assert.deepEqual(await find("example.org"), ["bob.alba@example.org"]);
  assert.deepEqual(await find("al"), ["bob.alba@example.org", "alice@example.com"], "in the order of the words");
  for (const nobody of ["nobody", "%", "_", "lice", "100% bob"]) assert.deepEqual(await find(nobody), [], nobody);
  await server.request("DELETE", `/users/${bob.id}`, { token: bob.token });
  assert.deepEqual(await find("alba"), []);
  await server.request("PATCH", "/users/me", { token: alice.token, body: { display_name: null } });
  assert.deepEqual(await find("zoe"), []);
  assert.deepEqual(await find("ali"), ["alice@example.com"]);
});

test("a role and a state choose accounts, and go on to the next page with them", async () => {
  const server = await createTestServer();
  const { token, id: adminId } = await server.administrator();
  const people = [];
  for (let index = 0; index < 4; index += 1) people.push(await server.signUp(`user${index}@example.com`));
  const [first, second, third, fourth] = people.map(({ id }) => id);
  for (const id of [second, fourth]) {
    await server.request("PATCH", `/admin/users/${id}`, { token, body: { disabled: true } });
  }
  const list = async (query: string): Promise<{ ids: number[]; link: string | undefined }> => {
    const { status, body, headers, text } = await server.request("GET", `/admin/users?${query}`, { token });
    assert.equal(status, 200, text);
    return { ids: (body["items"] as { id: number }[]).map(({ id }) => id), link: headers["link"] };
  };
  assert.deepEqual((await list("role=admin")).ids, [adminId]);
  assert.deepEqual((await list("role=user&disabled=false")).ids, [first, third]);
  assert.deepEqual((await list("disabled=true&q=user")).ids, [second, fourth]);
  assert.deepEqual((await list("disabled=true&role=admin")).ids, []);
  const page = await list("disabled=true&limit=1");
  assert.deepEqual(page.ids, [second]);
  const next = /^<\/admin\/users\?([^>]+)>/.exec(page.link ?? "")?.[1] ?? "";
  assert.match(next, /disabled=true/);
  assert.deepEqual((await list(next)).ids, [fourth]);
  const cursor = new URLSearchParams(next).get("cursor") ?? "";
  const elsewhere = await server.request("GET", `/admin/users?cursor=${cursor}`, { token });
  assert.equal(elsewhere.status, 422, "a cursor is of the list that gave it, with its filters");
  for (const query of ["role=owner", "disabled=yes", "disabled=1"]) {
    const refused = await server.request("GET", `/admin/users?${query}`, { token });
    assert.equal(refused.status, 422, query);
    assert.equal((refused.body["errors"] as { pointer: string }[])[0]?.pointer, `?${query.split("=")[0]}`);
  }
});

test("a cursor that is not ours is refused", async () => {
  // V31
  const server = await createTestServer();
  const { token } = await server.administrator();
  await server.signUp("a@example.com");
  const { body } = await server.request("GET", "/admin/users?limit=1", { token });
  const cursor = String(body["next_cursor"]);
  const forged = ["1", "1.", `2${cursor.slice(1)}`, `${cursor}x`, "' OR 1=1--", cursor.toUpperCase()];
  for (const one of forged) {
    const answer = await server.request("GET", `/admin/users?cursor=${encodeURIComponent(one)}`, { token });
    assert.equal(answer.status, 422, one);
    assert.equal((answer.body["errors"] as { pointer: string }[])[0]?.pointer, "?cursor");
  }
  for (const query of ["limit=0", "limit=201", "limit=x", "limit=1.5", "limit=1&limit=2"]) {
    const answer = await server.request("GET", `/admin/users?${query}`, { token });
    assert.equal((answer.body["errors"] as { pointer: string }[])[0]?.pointer, "?limit", query);
  }
});

test("a role, disabling and enabling take effect at the next request", async () => {
  // ASVS 8.3.2 (requirement 47), V42
  const server = await createTestServer();
  const admin = await server.administrator();
  const alice = await server.signUp("alice@example.com");
  const change = (body: unknown, id = alice.id) =>
    server.request("PATCH", `/admin/users/${id}`, { token: admin.token, body });

  const claims = JSON.parse(Buffer.from(alice.token.split(".")[1] ?? "", "base64url").toString()) as { role: string };
  assert.equal(claims.role, "user", "what the token says of itself is of no account");
  assert.equal((await server.request("GET", "/admin/users", { token: alice.token })).status, 403);
  assert.equal((await change({ role: "admin" })).body["role"], "admin");
  assert.equal((await server.request("GET", "/admin/users", { token: alice.token })).status, 200);
  assert.equal((await change({ role: "user" })).body["role"], "user");
  assert.equal((await server.request("GET", "/admin/users", { token: alice.token })).status, 403);

  assert.equal((await change({ disabled: true })).body["disabled"], true);
  assert.equal((await server.request("GET", "/users/me", { token: alice.token })).body["code"], "session-ended");
  const refused = await server.request("POST", "/auth/login", {
    body: { email: alice.email, password: alice.password },
  });
  assert.equal(refused.status, 403);
  assert.equal(refused.body["code"], "account-disabled");
  const guess = await server.request("POST", "/auth/login", { body: { email: alice.email, password: "a guess" } });
  assert.equal(guess.body["code"], "wrong-credentials", "only who knows the password learns that it is disabled");

  assert.equal((await change({ disabled: false })).body["disabled"], false);
  assert.equal(
    (await server.request("GET", "/users/me", { token: alice.token })).status,
    401,
    "an ended session stays ended",
  );
  await server.logIn(alice.email, alice.password);

  assert.equal((await change({ role: "user" }, 999)).status, 404);
  assert.equal((await change({ role: "owner" })).status, 422);
  assert.equal((await change({ disabled: "yes" })).status, 422);
  assert.deepEqual((await change({})).body["role"], "user");
});

test("the last administrator can be neither deleted, demoted nor disabled", async () => {
  const server = await createTestServer();
  const admin = await server.administrator();
  const { id, token } = admin;
  const before = await server.events();
  for (const attempt of [
    () => server.request("DELETE", `/users/${id}`, { token }),
    () => server.request("PATCH", `/admin/users/${id}`, { token, body: { role: "user" } }),
    () => server.request("PATCH", `/admin/users/${id}`, { token, body: { disabled: true } }),
  ]) {
    const refused = await attempt();
    assert.equal(refused.status, 409);
    assert.equal(refused.body["code"], "last-admin");
  }
  assert.deepEqual(await server.events(), before, "nothing happened");
  const other = await server.administrator("other@example.com");
  assert.equal((await server.request("DELETE", `/users/${id}`, { token: other.token })).status, 204);
});

test("two administrators who demote each other at once leave one", async () => {
  const server = await createTestServer();
  const first = await server.administrator("first@example.com");
  const second = await server.administrator("second@example.com");
  const answers = await Promise.all([
    server.request("PATCH", `/admin/users/${second.id}`, { token: first.token, body: { role: "user" } }),
    server.request("PATCH", `/admin/users/${first.id}`, { token: second.token, body: { role: "user" } }),
  ]);
  // 409 at the last administrator, or 403 for who came to the gate when he was none any more.
  const [done, refused] = answers.map(({ status }) => status).toSorted((a, b) => a - b);
  assert.equal(done, 200);
  assert.ok(refused === 409 || refused === 403, String(refused));
  const left = await server.platform.db.selectFrom("accounts").select("id").where("role", "=", "admin").execute();
  assert.equal(left.length, 1);
});

test("what cannot be undone needs a recent sign-in, and giving the password makes it recent", async () => {
  // RFC 9470 §3 (requirement 8)
  const server = await createTestServer({ ACCESS_TOKEN_LIFETIME: "1h" });
  const { id, token, password } = await server.signUp("alice@example.com");
  server.clock.advance(15 * 60_000 + 1);
  const refused = await server.request("DELETE", `/users/${id}`, { token });
  assert.equal(refused.status, 401);
  assert.equal(refused.body["code"], "reauthentication-required");
  assert.equal(refused.headers["www-authenticate"], 'Bearer error="insufficient_user_authentication", max_age=900');

  const wrong = await server.request("POST", "/auth/reauthenticate", { token, body: { password: "not it" } });
  assert.equal(wrong.status, 403);
  assert.equal(wrong.body["code"], "wrong-password");
  assert.equal((await server.request("DELETE", `/users/${id}`, { token })).status, 401);

  const right = await server.request("POST", "/auth/reauthenticate", { token, body: { password } });
  assert.equal(right.status, 204);
  assert.equal((await server.request("DELETE", `/users/${id}`, { token })).status, 204);
});

test("a refused request can be looked up by its id, gate by gate", async () => {
  const server = await createTestServer();
  const admin = await server.administrator();
  const alice = await server.signUp("alice@example.com");
  const refused = await server.request("GET", "/admin/users?q=secret", { token: alice.token });
  const requestId = String(refused.body["request_id"]);
  assert.equal(refused.headers["x-request-id"], requestId);

  const { status, body } = await server.request("GET", `/admin/decisions/${requestId}`, { token: admin.token });
  assert.equal(status, 200);
  const { gates, id, ...rest } = body;
  assert.match(String(id), /^[1-9][0-9]{15}$/);
  assert.deepEqual(rest, {
    request_id: requestId,
    at: "2026-01-15T12:00:00.000Z",
    method: "GET",
    path: "/admin/users",
    status: 403,
    decided_by: "authorize",
    code: "permission-denied",
    account_id: alice.id,
    address: "203.0.113.7",
  });
  assert.deepEqual(
    (gates as { gate: string; outcome: string }[]).map(({ gate, outcome }) => `${gate} ${outcome}`),
    ["route passed", "limit passed", "authenticate passed", "authorize refused"],
  );
  assert.equal((await server.request("GET", `/admin/decisions/${requestId}`, { token: alice.token })).status, 403);
  assert.equal(
    (await server.request("GET", "/admin/decisions/unknown", { token: admin.token })).body["code"],
    "decision-not-found",
  );
});
