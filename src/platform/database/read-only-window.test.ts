import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { sql } from "kysely";
import { openReadOnlyWindow } from "../../../test/support/read-only.ts";
import { createTestServer } from "../../../test/support/test-server.ts";
import { isOnPostgres, openTestDatabase, openUrl, sharedDatabase } from "../../../test/support/test-database.ts";
import { extendWindow, isReadOnly, isReadOnlyWindow, unguardTables } from "./read-only-window.ts";

const account = { email: "a", email_canonical: "a", password_hash: "x", role: "user", created_at: 1 } as const;

test("in a window nobody writes, whoever has the database open; reading goes on, and so does what changes nothing", async (t) => {
  const url = await sharedDatabase(t);
  await using keeper = await openUrl(url);
  await using other = await openUrl(url);
  await other.insertInto("accounts").values(account).execute();
  assert.equal(await isReadOnly(other), false);
  await openReadOnlyWindow(keeper);
  assert.equal(await isReadOnly(other), true);
  const writes = [
    () => other.insertInto("events").values({ at: 1, type: "t", payload: "{}" }).execute(),
    () => other.updateTable("accounts").set({ display_name: "b" }).execute(),
    () => other.deleteFrom("accounts").execute(),
    () => other.transaction().execute((tx) => tx.deleteFrom("accounts").execute()),
  ];
  for (const write of writes) await assert.rejects(write(), isReadOnlyWindow);
  await other.deleteFrom("accounts").where("id", "=", 99).execute();
  assert.equal((await other.selectFrom("accounts").selectAll().execute()).length, 1);

  const tables = (await keeper.introspection.getTables()).map(({ name }) => name);
  await keeper.transaction().execute(async (tx) => {
    await tx.deleteFrom("moves").execute();
    await unguardTables(tx, tables);
  });
  await other.deleteFrom("accounts").execute();
  assert.deepEqual(await other.selectFrom("accounts").selectAll().execute(), []);
});

test("a window that nobody keeps open ends by itself, and cannot be taken up again", async (t) => {
  const db = await openTestDatabase(t);
  await openReadOnlyWindow(db, 60_000);
  const keeper = { id: "m", milliseconds: 1 };
  assert.equal(await db.transaction().execute((tx) => extendWindow(tx, keeper, "leaving")), true);
  while (await isReadOnly(db)) await wait(1);
  await db.insertInto("accounts").values(account).execute();
  const late = { id: "m", milliseconds: 60_000 };
  assert.equal(await db.transaction().execute((tx) => extendWindow(tx, late, "left")), false);
  await db.deleteFrom("accounts").execute();
});

if (isOnPostgres) {
  test("a transaction that began before the window does not write in it", async (t) => {
    const url = await sharedDatabase(t);
    await using keeper = await openUrl(url);
    await using other = await openUrl(url);
    const early = await other.startTransaction().execute();
    await sql`select count(*) from accounts`.execute(early);
    await openReadOnlyWindow(keeper);
    await assert.rejects(early.insertInto("accounts").values(account).execute(), isReadOnlyWindow);
    await early.rollback().execute();
  });
}

test("a server in a window reads, and says of each write when to come again", async () => {
  const server = await createTestServer();
  const { token, email, password } = await server.signUp("ada@example.com");
  await openReadOnlyWindow(server.platform.db);
  const events = await server.events();
  assert.equal((await server.request("GET", "/users/me", { token })).status, 200);
  const writes = [
    server.request("PATCH", "/users/me", { token, body: { display_name: "Ada" } }),
    server.request("POST", "/auth/login", { body: { email, password } }),
    server.request("POST", "/users/", { body: { email: "ben@example.com", password: "password" } }),
    server.request("POST", "/users/", {
      body: { email: "ben@example.com", password: "password" },
      headers: { "idempotency-key": "k" },
    }),
  ];
  for (const { status, body, headers } of await Promise.all(writes)) {
    assert.equal(status, 503);
    assert.equal(body["code"], "read-only");
    assert.equal(headers["retry-after"], "5");
  }
  const ready = await server.request("GET", "/health/ready");
  assert.equal(ready.status, 200);
  assert.match(JSON.stringify(ready.body["warnings"]), /read-only/);
  assert.deepEqual(await server.events(), events);
});
