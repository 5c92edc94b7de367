import assert from "node:assert/strict";
import { test } from "node:test";
import { eventMeanings } from "../../src/contract/events.ts";
import { limitNames } from "../../src/contract/limits.ts";
import { watchQueries } from "../support/query-watch.ts";
import { isOnPostgres, openTestDatabase } from "../support/test-database.ts";
import { createTestServer, type Answer, type TestServer } from "../support/test-server.ts";

type Item = Readonly<Record<string, unknown>>;

function itemsOf({ status, body, text }: Answer): readonly Item[] {
  assert.equal(status, 200, text);
  return body["items"] as Item[];
}

/** The address after `Link: rel="next"`; undefined on the last page. */
function nextOf({ headers, body }: Answer): string | undefined {
  const next = /^<([^>]+)>; rel="next"$/.exec(headers["link"] ?? "")?.[1];
  assert.equal(next === undefined, body["next_cursor"] === null);
  return next;
}

async function readAll(server: TestServer, url: string, token: string): Promise<readonly Item[]> {
  const items: Item[] = [];
  for (let next: string | undefined = url; next !== undefined;) {
    const answer = await server.request("GET", next, { token });
    items.push(...itemsOf(answer));
    next = nextOf(answer);
  }
  return items;
}

test("an administrator sees an account with its living sessions and its last sign-in, and signs it out", async () => {
  const server = await createTestServer();
  const admin = await server.administrator();
  const alice = await server.signUp("alice@example.com");
  server.clock.advance(60_000);
  const second = await server.logIn(alice.email, alice.password);
  const details = async (id = alice.id): Promise<Answer> =>
    server.request("GET", `/admin/users/${id}`, { token: admin.token });
  const { body } = await details();
  assert.equal(body["email"], alice.email);
  assert.equal(body["living_sessions"], 2);
  assert.equal(body["last_sign_in_at"], "2026-01-15T12:01:00.000Z");
  assert.equal((await details(4242)).body["code"], "user-not-found");

  const url = `/admin/users/${alice.id}/sessions`;
  const sessions = itemsOf(await server.request("GET", url, { token: admin.token }));
  assert.equal(sessions.length, 2);
  assert.ok(sessions.every((session) => session["current"] === false));
  const own = itemsOf(await server.request("GET", `/admin/users/${admin.id}/sessions`, { token: admin.token }));
  assert.deepEqual(
    own.map((session) => session["current"]),
    [true],
  );
  for (const method of ["GET", "DELETE"]) {
    const unknown = await server.request(method, "/admin/users/4242/sessions", { token: admin.token });
    assert.equal(unknown.body["code"], "user-not-found", method);
    const refused = await server.request(method, url, { token: alice.token });
    assert.equal(refused.status, 403, method);
  }

  assert.equal((await server.request("DELETE", url, { token: admin.token })).status, 204);
  for (const token of [alice.token, second]) {
    assert.equal((await server.request("GET", "/users/me", { token })).body["code"], "session-ended");
  }
  assert.equal((await server.request("GET", "/users/me", { token: admin.token })).status, 200, "nobody else's");
  assert.deepEqual(itemsOf(await server.request("GET", url, { token: admin.token })), []);
  assert.equal((await details()).body["living_sessions"], 0);
  const [event] = itemsOf(await server.request("GET", "/admin/events?limit=1", { token: admin.token }));
  const { id: eventId, request_id: requestId, ...rest } = event ?? {};
  assert.deepEqual([typeof eventId, typeof requestId], ["number", "string"]);
  assert.deepEqual(rest, {
    at: "2026-01-15T12:01:00.000Z",
    type: "session/ended",
    actor_id: admin.id,
    account_id: alice.id,
    address: "203.0.113.7",
    payload: { reason: "ended-by-administrator" },
  });
  const before = await server.events();
  assert.equal((await server.request("DELETE", url, { token: admin.token })).status, 204, "again changes nothing");
  assert.deepEqual(await server.events(), before);
});

test("the audit log is read newest first, by account and type, page by page, each event once", async () => {
  const server = await createTestServer();
  const { token } = await server.administrator();
  const alice = await server.signUp("alice@example.com");
  const bob = await server.signUp("bob@example.com");
  for (const name of ["A", "B", "C"]) {
    await server.request("PATCH", "/users/me", { token: alice.token, body: { display_name: name } });
    await server.request("PATCH", "/users/me", { token: bob.token, body: { display_name: name } });
  }
  const types = async (query: string): Promise<unknown[]> =>
    (await readAll(server, `/admin/events?${query}`, token)).map((event) => event["type"]);
  const all = (await server.events()).toReversed();
  assert.deepEqual(await types("limit=2"), all);
  assert.deepEqual(await types("limit=200"), all);
  const renames = Array.from({ length: 3 }, () => "account/renamed");
  assert.deepEqual(await types(`account_id=${alice.id}&limit=2`), [...renames, "session/started", "account/created"]);
  assert.deepEqual(await types(`account_id=${bob.id}&type=account/renamed&limit=1`), renames);
  assert.deepEqual(await types("type=account/renamed&limit=4"), [...renames, ...renames]);
  assert.deepEqual(await types("account_id=4242"), []);
  for (const query of ["type=account/stolen", "account_id=x", "limit=201"]) {
    assert.equal((await server.request("GET", `/admin/events?${query}`, { token })).status, 422, query);
  }
  const page = await server.request("GET", "/admin/events?limit=1", { token });
  const cursor = String(page.body["next_cursor"]);
  for (const query of [`type=account/renamed&cursor=${cursor}`, `cursor=${cursor}x`, "cursor=1"]) {
    const refused = await server.request("GET", `/admin/events?${query}`, { token });
    assert.equal((refused.body["errors"] as { pointer: string }[])[0]?.pointer, "?cursor", query);
  }
});

test("people see what changed on their own account, and nothing of an administrator but that it was one", async () => {
  const server = await createTestServer();
  const admin = await server.administrator();
  const alice = await server.signUp("alice@example.com");
  const bob = await server.signUp("bob@example.com");
  await server.request("PATCH", "/users/me", { token: alice.token, body: { display_name: "Alice" } });
  const elsewhere = { token: admin.token, address: "198.51.100.1" };
  await server.request("PATCH", `/admin/users/${alice.id}`, { ...elsewhere, body: { role: "admin" } });
  await server.request("DELETE", `/admin/users/${alice.id}/sessions`, elsewhere);
  const token = await server.logIn(alice.email, alice.password);
  const answer = await server.request("GET", "/users/me/events", { token });
  const shown = itemsOf(answer).map(({ type, by, address, details }) => {
    const { session_id: session, ...rest } = details as Record<string, unknown>;
    return [type, by, address, { ...rest, ...(session === undefined ? {} : { session: typeof session }) }];
  });
  const here = "203.0.113.7";
  assert.deepEqual(shown, [
    ["session/started", "self", here, { method: "password", session: "string" }],
    ["session/ended", "administrator", null, { reason: "ended-by-administrator" }],
    ["account/role-changed", "administrator", null, { from: "user", to: "admin" }],
    ["account/renamed", "self", here, {}],
    ["session/started", "self", here, { method: "sign-up", session: "string" }],
    ["account/created", "self", here, {}],
  ]);
  assert.ok(!answer.text.includes("198.51.100.1"));
  assert.equal(itemsOf(await server.request("GET", "/users/me/events", { token: bob.token })).length, 2);
});

test("a list of one's own events is bounded, and a refresh is not among them", async () => {
  const server = await createTestServer();
  const { token } = await server.signUp("alice@example.com");
  for (let index = 0; index < 60; index += 1) {
    await server.request("PATCH", "/users/me", { token, body: { display_name: `Alice ${index}` } });
  }
  const { body } = await server.request("POST", "/auth/login", {
    body: { email: "alice@example.com", password: "correct horse battery staple" },
  });
  await server.request("POST", "/auth/refresh", { body: { refresh_token: body["refresh_token"] } });
  const items = itemsOf(await server.request("GET", "/users/me/events", { token }));
  assert.equal(items.length, 50);
  assert.deepEqual(
    items.slice(0, 2).map(({ type }) => type),
    ["session/started", "account/renamed"],
  );
});

test("the last refusals are listed newest first, by gate, code and status, page by page", async () => {
  const server = await createTestServer();
  const admin = await server.administrator();
  const { token } = await server.signUp("alice@example.com");
  for (let index = 0; index < 3; index += 1) {
    await server.request("GET", "/admin/users?q=secret", { token });
    await server.request("GET", "/users/me");
    await server.request("GET", `/nowhere/${index}`);
    await server.request("DELETE", "/users/me");
  }
  const codes = async (query: string): Promise<unknown[]> =>
    (await readAll(server, `/admin/decisions?${query}`, admin.token)).map((decision) => decision["code"]);
  const newestFirst = ["method-not-allowed", "not-found", "token-missing", "permission-denied"];
  assert.deepEqual(await codes("limit=5"), [...newestFirst, ...newestFirst, ...newestFirst]);
  assert.deepEqual(
    await codes("gate=route&limit=2"),
    [1, 2, 3].flatMap(() => newestFirst.slice(0, 2)),
  );
  assert.deepEqual(
    await codes("status=401&limit=1"),
    Array.from({ length: 3 }, () => "token-missing"),
  );
  assert.deepEqual(
    await codes("code=not-found&gate=route&status=404"),
    Array.from({ length: 3 }, () => "not-found"),
  );
  assert.deepEqual(await codes("gate=depend"), []);
  const list = await server.request("GET", "/admin/decisions", { token: admin.token });
  const [newest] = itemsOf(list);
  assert.ok(!list.text.includes("secret"), "no query");
  const found = await server.request("GET", `/admin/decisions/${String(newest?.["request_id"])}`, {
    token: admin.token,
  });
  assert.deepEqual(found.body, newest);
  for (const query of ["gate=door", "status=200", "cursor=1"]) {
    assert.equal((await server.request("GET", `/admin/decisions?${query}`, { token: admin.token })).status, 422, query);
  }
});

test("the limits are listed as they are in force, with who is near them and the window of a key", async () => {
  const env = { LIMIT_LOGIN_ACCOUNT: "4/60s", LIMIT_LIMITED: "5/60s", LIMIT_API: "off" };
  const server = await createTestServer(env);
  const { token } = await server.administrator();
  const take = (key: string): Promise<Answer> =>
    server.request("GET", `/users/limited?client_id=${encodeURIComponent(key)}`);
  const strange = "a/b c%2F?#\u00e9";
  for (let count = 0; count < 6; count += 1) {
    await take(strange);
    server.clock.advance(1_000);
  }
  for (let count = 0; count < 3; count += 1) await take("three");
  await take("one");

  const limits = itemsOf(await server.request("GET", "/admin/limits", { token }));
  assert.deepEqual(
    limits.map(({ name }) => name),
    limitNames,
  );
  assert.deepEqual(
    limits.find(({ name }) => name === "limited"),
    {
      name: "limited",
      meaning: "The tutorial's example at /users/limited.",
      keyed_by: "client_id",
      setting: "LIMIT_LIMITED",
      quota: 5,
      window_seconds: 60,
      default_quota: 5,
      default_window_seconds: 60,
      keys_held: 3,
    },
  );
  const api = limits.find(({ name }) => name === "api");
  assert.deepEqual([api?.["quota"], api?.["window_seconds"], api?.["keys_held"]], [null, null, 0]);

  const keys = (query: string) => server.request("GET", `/admin/limits/limited/keys${query}`, { token });
  const near = { key: strange, used: 5, remaining: 0, retry_after_seconds: 54 };
  const three = { key: "three", used: 3, remaining: 2, retry_after_seconds: 0 };
  assert.deepEqual(itemsOf(await keys("?near=true")), [near, three]);
  assert.deepEqual(itemsOf(await keys("?limit=1")), [near]);
  assert.equal(itemsOf(await keys("")).length, 3);
  for (const query of ["?limit=101", "?near=maybe"]) assert.equal((await keys(query)).status, 422, query);

  const windowOf = (limit: string, key: string) =>
    server.request("GET", `/admin/limits/${limit}/keys/${encodeURIComponent(key)}`, { token });
  assert.deepEqual((await windowOf("limited", strange)).body, {
    limit: "limited",
    quota: 5,
    window_seconds: 60,
    ...near,
    ages_ms: [2_000, 3_000, 4_000, 5_000, 6_000],
  });
  assert.deepEqual((await windowOf("limited", "never seen")).body["ages_ms"], []);
  assert.equal((await take("never seen")).body["remaining"], 4, "looking counted nothing");
  assert.deepEqual((await windowOf("api", "account:1")).body, {
    limit: "api",
    quota: null,
    window_seconds: null,
    key: "account:1",
    used: 0,
    remaining: null,
    retry_after_seconds: 0,
    ages_ms: [],
  });
  for (const url of ["/admin/limits/no-such/keys", "/admin/limits/__proto__/keys/a", "/admin/limits/LIMIT_API/keys"]) {
    const unknown = await server.request("GET", url, { token });
    assert.deepEqual([unknown.status, unknown.body["code"]], [404, "limit-unknown"], url);
  }
});

test("signing keys are listed and rotated, with the actor in the audit log", async () => {
  const server = await createTestServer({ ACCESS_TOKEN_LIFETIME: "1h" });
  const admin = await server.administrator();
  const list = async (): Promise<readonly Item[]> =>
    itemsOf(await server.request("GET", "/admin/keys", { token: admin.token }));
  const [first, ...none] = await list();
  assert.deepEqual(none, []);
  assert.equal(first?.["state"], "signing");

  const rotate = () => server.request("POST", "/admin/keys/rotate", { token: admin.token });
  const rotated = await rotate();
  assert.equal(rotated.status, 201, rotated.text);
  assert.deepEqual(
    (await list()).map(({ id, state }) => [id, state]),
    [
      [rotated.body["id"], "published"],
      [first?.["id"], "signing"],
    ],
  );
  const { body: jwks } = await server.request("GET", "/.well-known/jwks.json");
  const published = (jwks["keys"] as { kid: string }[]).map(({ kid }) => kid);
  assert.ok(published.includes(String(rotated.body["id"])), "at once, on this server");
  const [event] = itemsOf(await server.request("GET", "/admin/events?type=signing-key/created&limit=1", admin));
  assert.deepEqual(
    [event?.["actor_id"], event?.["payload"]],
    [admin.id, { key_id: rotated.body["id"], algorithm: "ES256" }],
  );

  const before = await server.events();
  const again = await rotate();
  assert.deepEqual([again.status, again.body["code"]], [409, "rotation-pending"]);
  assert.deepEqual([again.body["key_id"], again.body["signs_at"]], [rotated.body["id"], rotated.body["signs_at"]]);
  server.clock.advance(15 * 60_000 + 1);
  const stale = await rotate();
  assert.deepEqual([stale.status, stale.body["code"]], [401, "reauthentication-required"]);
  assert.deepEqual(await server.events(), before, "neither made a key");
  await server.request("POST", "/auth/reauthenticate", { token: admin.token, body: { password: admin.password } });
  assert.equal((await rotate()).status, 201, "the former one signs by now");
});

test("with a shared secret there is nothing to rotate", async () => {
  const server = await createTestServer({ TOKEN_ALGORITHM: "HS256" });
  const { token } = await server.administrator();
  const { body } = await server.request("GET", "/admin/keys", { token });
  assert.deepEqual([body["token_algorithm"], body["items"]], ["HS256", []]);
  const refused = await server.request("POST", "/admin/keys/rotate", { token });
  assert.deepEqual([refused.status, refused.body["code"]], [409, "nothing-to-rotate"]);
});

test("whatever the console asks, the database goes along an index", async (t) => {
  const watched = watchQueries(await openTestDatabase(t));
  const server = await createTestServer({}, { db: watched.db });
  const { id, token } = await server.administrator();
  watched.forget();
  const types = Object.keys(eventMeanings);
  const urls = [
    ...["", "?role=admin", "?disabled=true", "?q=admin", "?q=admin+example&role=admin"].map((q) => `/admin/users${q}`),
    ...["", "/sessions"].map((path) => `/admin/users/${id}${path}`),
    ...["", `?account_id=${id}`, `?type=${types[0]}`, `?account_id=${id}&type=${types[0]}`].map(
      (q) => `/admin/events${q}`,
    ),
    "/users/me/events",
    "/admin/overview",
    "/admin/overview?period=day",
  ];
  for (const url of urls) assert.equal((await server.request("GET", url, { token })).status, 200, url);
  await server.app.flushOverview();
  const plans = await watched.plans();
  assert.ok(new Set(plans.map(({ sql }) => sql)).size > 15);
  // PostgreSQL reads a table whole that has a few rows; what it does with a million is in account-search.test.ts.
  if (isOnPostgres) return;
  for (const { detail, sql } of plans) {
    // What a limit ends is read in order, or was chosen before; and the sessions of one account are sorted.
    const isBounded =
      /^SCAN (counted|next|\d+-ROW VALUES CLAUSE)$/.test(detail) ||
      (detail === "SCAN events" && sql.endsWith('from "events" order by "id" desc limit ?')) ||
      (/TEMP B-TREE FOR (LAST TERM OF )?ORDER BY/.test(detail) &&
        sql.includes('from "sessions" where "account_id" = ?'));
    assert.ok(isBounded || !/SCAN|TEMP B-TREE/.test(detail), `${sql}: ${detail}`);
  }
});
