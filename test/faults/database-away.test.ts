import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { join } from "node:path";
import { test } from "node:test";
import { sql } from "kysely";
import { temporaryDirectory } from "../support/server-process.ts";
import { createTestServer } from "../support/test-server.ts";

test("with the disk full, writes are 503, reads go on, and it recovers by itself", async (t) => {
  // X3: SQLite's own bound on pages fails exactly like a full disk (SQLITE_FULL).
  const server = await createTestServer({ DATABASE_URL: `sqlite:${temporaryDirectory(t)}/tollgate.db` });
  const { db } = server.platform;
  const alice = await server.signUp("alice@example.com");
  const events = await server.events();
  const fill = async (): Promise<string> => {
    for (let index = 0; index < 500; index += 1) {
      const { status, body, headers } = await server.request("POST", "/users/", {
        body: { email: `u${index}@example.com`, password: "password" },
      });
      if (status === 201) continue;
      assert.equal(status, 503);
      assert.equal(headers["retry-after"], "1");
      return `${String(body["gate"])} ${String(body["code"])} at ${index}`;
    }
    return "never full";
  };
  const { rows } = await sql<{ page_count: number }>`pragma page_count`.execute(db);
  await sql.raw(`pragma max_page_count = ${rows[0]?.page_count ?? 0}`).execute(db);
  assert.match(await fill(), /^depend database-unavailable at /);

  assert.equal((await server.request("GET", "/users/me", { token: alice.token })).status, 200);
  assert.equal((await server.request("GET", "/health/live")).status, 200);
  const accounts = (await db.selectFrom("accounts").select("id").execute()).length;
  const sessions = (await db.selectFrom("sessions").select("id").execute()).length;
  assert.equal(accounts, sessions, "no account without its session: both or neither");
  assert.equal((await server.events()).length, events.length + 2 * (accounts - 1), "and an event for each");

  await sql.raw("pragma max_page_count = 1073741823").execute(db);
  await server.signUp("afterwards@example.com");
});

test("with the database gone, each route says so, by the gate that needed it, and live stays live", async () => {
  // X6, ASVS 16.5.3 (requirement 83): fail closed.
  const server = await createTestServer();
  const { token } = await server.signUp("alice@example.com");
  await server.platform.db.destroy();
  const away = { status: 503, code: "database-unavailable", gate: "depend" };
  const ask = async (method: string, url: string, options = {}) => {
    const { status, body } = await server.request(method, url, options);
    return { status, code: body["code"], gate: body["gate"] };
  };
  assert.deepEqual(await ask("GET", "/"), away);
  assert.deepEqual(await ask("GET", "/users/me", { token }), away);
  assert.deepEqual(await ask("GET", "/admin/users", { token }), away, "never a yes without a look");
  assert.deepEqual(await ask("POST", "/users/", { body: { email: "b@example.com", password: "password" } }), away);
  assert.deepEqual(await ask("POST", "/auth/login", { body: { email: "b@example.com", password: "password" } }), away);
  assert.deepEqual(await ask("GET", "/users/me"), { status: 401, code: "token-missing", gate: "authenticate" });
  assert.deepEqual(await ask("GET", "/users/limited?client_id=x"), { status: 200, code: undefined, gate: undefined });
  assert.deepEqual(await ask("GET", "/health/live"), { status: 200, code: undefined, gate: undefined });
  const ready = await server.request("GET", "/health/ready");
  assert.equal(ready.status, 503);
  assert.equal(ready.body["code"], "not-ready");
  assert.deepEqual(ready.body["failing"], ["database"]);
  const home = await server.request("GET", "/", { headers: { accept: "text/html" } });
  assert.equal(home.status, 200, "a person still gets the page, which says so");
});

test("sixty-four writers at once, and another process that holds the lock: nobody gets an error", async (t) => {
  // X5
  const file = join(temporaryDirectory(t), "tollgate.db");
  const server = await createTestServer({ DATABASE_URL: `sqlite:${file}`, HASH_QUEUE: "1000" });
  const other = new DatabaseSync(file);
  other.exec("begin immediate");
  const timer = setTimeout(() => {
    other.exec("commit");
    other.close();
  }, 0);
  const answers = await Promise.all(
    Array.from({ length: 64 }, (_, index) =>
      server.request("POST", "/users/", { body: { email: `w${index}@example.com`, password: "password" } }),
    ),
  );
  clearTimeout(timer);
  assert.deepEqual([...new Set(answers.map(({ status }) => status))], [201]);
});

test("an exception nobody foresaw is 500 with an id, and nothing else", async () => {
  // ASVS 16.5.1 (requirement 83): injected in each dependency.
  const secret = "the innermost detail";
  const fail = (): never => {
    throw new TypeError(secret);
  };
  const cases = [
    {
      part: { decisions: { record: () => undefined, find: fail, list: fail, subscribe: async () => () => undefined } },
      method: "GET",
      url: "/admin/decisions/x",
    },
    {
      part: { rateLimiter: { take: async () => fail(), keysHeld: () => 0, inspect: fail, busiest: fail } },
      method: "GET",
      url: "/errors",
      env: { LIMIT_API: "5/60s" },
    },
  ];
  for (const { part, method, url, env } of cases) {
    const server = await createTestServer(env ?? {}, part);
    const token = env ? undefined : (await server.administrator()).token;
    const { status, body, text } = await server.request(method, url, { token });
    assert.equal(status, 500);
    assert.equal(body["code"], "internal");
    assert.ok(!text.includes(secret));
    assert.equal((await server.request("GET", "/health/live")).status, 200);
  }
});
