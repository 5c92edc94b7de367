import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import { type Kysely, sql } from "kysely";
import { query, testWithPostgres } from "../../../test/support/postgres-cluster.ts";
import { databaseOf } from "../../../test/support/test-database.ts";
import { openDatabase } from "./database.ts";
import { isDatabaseUnavailable } from "./database-faults.ts";
import type { PostgresDatabase } from "./postgres-open.ts";
import { prepareQuery } from "./prepared-query.ts";
import type { Tables } from "./tables.ts";
import { inTransaction } from "./transaction.ts";

const testOnPostgres = testWithPostgres();
const bounds = { connectionsMax: 1, waitMilliseconds: 5_000, statementMilliseconds: 20_000 };

const eventsOf = prepareQuery((db, accountId: number) =>
  db.selectFrom("events").select(["account_id", "payload", "request_id"]).where("account_id", "=", accountId),
);
/** Fails for whoever asks for a number that is too large for JavaScript. */
const timesOf = prepareQuery((db, type: string) => db.selectFrom("events").select("at").where("type", "=", type));
/** Takes as long as its event says, in seconds. */
const pauseOf = prepareQuery((db, type: string) =>
  db
    .selectFrom("events")
    .select(sql<string>`pg_sleep(at)::text`.as("slept"))
    .where("type", "=", type),
);
const divisionOf = prepareQuery((db, type: string) =>
  db
    .selectFrom("events")
    .select(sql<number>`1 / at`.as("share"))
    .where("type", "=", type),
);

async function open(
  t: TestContext,
  url: string,
  changes: Partial<PostgresDatabase["bounds"]> = {},
): Promise<Kysely<Tables>> {
  const database = { ...databaseOf(url), bounds: { ...bounds, ...changes } } as PostgresDatabase;
  const db = await openDatabase(database, { now: () => 1 });
  t.after(() => db.destroy());
  return db;
}

async function addEvents(db: Kysely<Tables>, count: number): Promise<void> {
  const rows = Array.from({ length: count }, (_, index) => {
    return { at: index, type: `t${index}`, account_id: index, payload: `{"n":${index}}` };
  });
  await db.insertInto("events").values(rows).execute();
}

const outcomes = async (asked: readonly Promise<readonly object[]>[]): Promise<readonly unknown[]> =>
  (await Promise.allSettled(asked)).map((one) => (one.status === "fulfilled" ? one.value : one.reason));

testOnPostgres("each gets the rows that it asked for, however many ask at once", async (t, cluster) => {
  const db = await open(t, await cluster.makeDatabase(), { connectionsMax: 3 });
  await addEvents(db, 300);
  const ids = Array.from({ length: 500 }, (_, index) => (index * 7) % 310);
  const answers = await Promise.all(ids.map(async (id) => eventsOf(db, id)));
  const expected = (id: number) => (id < 300 ? [{ account_id: id, payload: `{"n":${id}}`, request_id: null }] : []);
  assert.deepEqual(answers, ids.map(expected));
});

testOnPostgres("one that fails fails alone, and the others of its batch are answered", async (t, cluster) => {
  const db = await open(t, await cluster.makeDatabase());
  await addEvents(db, 3);
  const asked = ["t1", "t0", "t2", "t0", "t1"].map(async (type) => divisionOf(db, type));
  const [first, zero, second, again, last] = await outcomes(asked);
  assert.deepEqual([first, second, last], [[{ share: 1 }], [{ share: 0 }], [{ share: 1 }]]);
  for (const error of [zero, again]) assert.match(String(error), /division by zero/);

  await db.insertInto("events").values({ at: 5, type: "large", payload: "" }).execute();
  await sql`update events set at = 9007199254740993 where type = 'large'`.execute(db);
  const [small, large, other] = await outcomes(["t1", "large", "t2"].map(async (type) => timesOf(db, type)));
  assert.deepEqual([small, other], [[{ at: 1 }], [{ at: 2 }]]);
  assert.ok(large instanceof RangeError);
});

testOnPostgres("what writes is in no batch: nothing undoes it but its own fault", async (t, cluster) => {
  const db = await open(t, await cluster.makeDatabase());
  await addEvents(db, 1);
  const addEvent = prepareQuery((database, type: string) =>
    database.insertInto("events").values({ at: 1, type, payload: "" }),
  );
  const [added, zero] = await outcomes([Promise.resolve(addEvent(db, "added")), Promise.resolve(divisionOf(db, "t0"))]);
  assert.deepEqual(added, []);
  assert.match(String(zero), /division by zero/);
  assert.deepEqual(await divisionOf(db, "added"), [{ share: 1 }]);
});

testOnPostgres("in a transaction it sees what the transaction wrote, and nobody else does", async (t, cluster) => {
  const db = await open(t, await cluster.makeDatabase(), { connectionsMax: 2 });
  await addEvents(db, 1);
  await inTransaction({ db }, async (tx) => {
    await sql`update events set payload = 'new'`.execute(tx.db);
    assert.equal((await eventsOf(tx.db, 0))[0]?.payload, "new");
    assert.equal((await eventsOf(db, 0))[0]?.payload, '{"n":0}');
  });
  assert.equal((await eventsOf(db, 0))[0]?.payload, "new");
});

testOnPostgres("when a migration changed their rows all of a batch are asked anew", async (t, cluster) => {
  const url = await cluster.makeDatabase();
  const db = await open(t, url);
  const allOf = prepareQuery((database, accountId: number) =>
    database.selectFrom("events").selectAll().where("account_id", "=", accountId),
  );
  await addEvents(db, 3);
  await allOf(db, 0);
  await query(url, "alter table events add column colour text default 'red'");
  const rows = await Promise.all([0, 1, 2].map(async (id) => allOf(db, id)));
  assert.deepEqual(
    rows.map(([row]) => [row?.account_id, (row as { colour?: string } | undefined)?.colour]),
    [0, 1, 2].map((id) => [id, "red"]),
  );
});

testOnPostgres("one that takes too long is ended; those behind it are answered", async (t, cluster) => {
  const db = await open(t, await cluster.makeDatabase(), { statementMilliseconds: 500 });
  await addEvents(db, 2);
  await db.insertInto("events").values({ at: 60, type: "slow", payload: "" }).execute();
  const [quick, slow, behind] = await outcomes(["t0", "slow", "t0"].map(async (type) => pauseOf(db, type)));
  assert.deepEqual([quick, behind], [[{ slept: "" }], [{ slept: "" }]]);
  assert.match(String(slow), /statement timeout/);
  assert.equal(isDatabaseUnavailable(slow), true);
});

testOnPostgres("a connection that breaks fails its batch and nothing else; the next one is new", async (t, cluster) => {
  const url = await cluster.makeDatabase();
  const db = await open(t, url);
  await addEvents(db, 2);
  await db.insertInto("events").values({ at: 60, type: "slow", payload: "" }).execute();
  const broken = outcomes(["t0", "slow", "t0"].map(async (type) => pauseOf(db, type)));
  const asleep = "select pid from pg_stat_activity where application_name = 'tollgate' and wait_event = 'PgSleep'";
  let sleepers: { pid: number }[] = [];
  while (sleepers.length === 0) sleepers = await query(url, asleep);
  const later = eventsOf(db, 1);
  await query(url, `select pg_terminate_backend(${sleepers[0]?.pid})`);
  const [answered, ...failed] = await broken;
  assert.deepEqual(answered, [{ slept: "" }]);
  for (const error of failed) assert.equal(isDatabaseUnavailable(error), true);
  assert.equal((await later).length, 1);
});
