import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import { type Kysely, sql } from "kysely";
import { query, testWithPostgres } from "../../../test/support/postgres-cluster.ts";
import { databaseOf } from "../../../test/support/test-database.ts";
import { openDatabase } from "./database.ts";
import { isDatabaseUnavailable, isTransactionConflict, isUniqueViolation } from "./database-faults.ts";
import type { PostgresDatabase } from "./postgres-open.ts";
import { prepareQuery } from "./prepared-query.ts";
import type { Tables } from "./tables.ts";
import { inTransaction } from "./transaction.ts";

const testOnPostgres = testWithPostgres();
const account = {
  email: "A@b.c",
  email_canonical: "a@b.c",
  password_hash: "hunter2",
  role: "user",
  created_at: 1,
} as const;
const bounds = { connectionsMax: 4, waitMilliseconds: 5_000, statementMilliseconds: 20_000 };

async function open(
  t: TestContext,
  url: string,
  changes: Partial<PostgresDatabase["bounds"]> = {},
  onConnectionLost: (error: Error) => void = () => undefined,
): Promise<Kysely<Tables>> {
  const database = { ...databaseOf(url), bounds: { ...bounds, ...changes } } as PostgresDatabase;
  const db = await openDatabase(database, { now: () => 1 }, { onConnectionLost });
  t.after(() => db.destroy());
  return db;
}

async function failureOf(work: Promise<unknown>): Promise<Error> {
  const error = await work.then(
    () => assert.fail("it should have failed"),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof Error);
  return error;
}

const pid = async (db: Kysely<Tables>): Promise<number> =>
  (await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(db)).rows[0]?.pid ?? 0;

testOnPostgres("rows look as they do on SQLite", async (t, cluster) => {
  const db = await open(t, await cluster.makeDatabase());
  const { rows } = await sql`
    select 9007199254740991::bigint as big, sum(x) as total, count(*) as many, true as yes, 1 = 2 as no,
           '\\x0001ff'::bytea as bytes, null as nothing from (values (1::bigint), (2)) as t (x)`.execute(db);
  const { bytes, ...others } = { ...(rows[0] as Record<string, unknown>) };
  assert.deepEqual(others, { big: 9007199254740991, total: 3, many: 2, yes: 1, no: 0, nothing: null });
  assert.deepEqual(Uint8Array.from(bytes as Uint8Array), Uint8Array.of(0, 1, 255));
  await assert.rejects(sql`select 9007199254740993::bigint`.execute(db), RangeError);

  await db.insertInto("accounts").values(account).execute();
  const updated = await db.updateTable("accounts").set({ role: "admin" }).executeTakeFirstOrThrow();
  assert.equal(updated.numUpdatedRows, 1n);
  assert.deepEqual(await db.selectFrom("accounts").select("id").where("id", "=", 1e300).execute(), []);
  assert.equal(
    (
      await db
        .selectFrom("accounts")
        .select("id")
        .where("id", "<", 2 ** 64)
        .execute()
    ).length,
    1,
  );
});

// ASVS 16.2.5 (requirement 82)
testOnPostgres("what the server says of a row is in no error", async (t, cluster) => {
  const db = await open(t, await cluster.makeDatabase());
  await db.insertInto("accounts").values(account).execute();
  const insert = (values: object): Promise<unknown> =>
    db
      .insertInto("accounts")
      .values({ ...account, ...values })
      .execute();
  const twice = await failureOf(insert({}));
  assert.equal(isUniqueViolation(twice), true);
  assert.equal(isUniqueViolation(twice, "accounts.email_canonical"), true);
  assert.equal(isUniqueViolation(twice, "accounts.email"), false);
  assert.equal(isDatabaseUnavailable(twice), false);
  const broken = await failureOf(insert({ email_canonical: "b", role: "root" }));
  assert.match(broken.message, /accounts_role_is_known/);
  for (const error of [twice, broken]) {
    const told = JSON.stringify(Object.assign({ stack: error.stack, cause: error.cause }, error));
    assert.doesNotMatch(told, /hunter2|a@b\.c/i);
  }
});

testOnPostgres("of transactions in conflict each is done again, until all are done", async (t, cluster) => {
  const db = await open(t, await cluster.makeDatabase());
  await db.insertInto("events").values({ at: 0, type: "t", payload: "0" }).execute();
  let attempts = 0;
  const addOne = (): Promise<void> =>
    inTransaction({ db }, async (tx) => {
      attempts += 1;
      const { payload } = await tx.db.selectFrom("events").select("payload").executeTakeFirstOrThrow();
      await sql`update events set payload = ${String(Number(payload) + 1)}`.execute(tx.db);
    });
  await Promise.all(Array.from({ length: 100 }, addOne));
  const { payload } = await db.selectFrom("events").select("payload").executeTakeFirstOrThrow();
  assert.equal(payload, "100");
  assert.ok(attempts > 100, "they did meet");
  t.diagnostic(`${attempts} attempts`);
});

testOnPostgres("a conflict that does not end is a database that cannot serve", async (t, cluster) => {
  const db = await open(t, await cluster.makeDatabase());
  let attempts = 0;
  const error = await failureOf(
    inTransaction({ db }, async (tx) => {
      attempts += 1;
      await sql`do $$ begin raise serialization_failure; end $$`.execute(tx.db);
    }),
  );
  assert.equal(isTransactionConflict(error), true);
  assert.equal(isDatabaseUnavailable(error), true);
  assert.equal(attempts, 20);
});

testOnPostgres("an error that the work swallowed undoes the transaction all the same", async (t, cluster) => {
  const db = await open(t, await cluster.makeDatabase());
  const swallowed = inTransaction({ db }, async (tx) => {
    await tx.db.insertInto("accounts").values(account).execute();
    await tx.db
      .insertInto("accounts")
      .values(account)
      .execute()
      .catch(() => undefined);
    return "done";
  });
  assert.equal(isUniqueViolation(await failureOf(swallowed)), true);
  assert.deepEqual(await db.selectFrom("accounts").select("id").execute(), []);
});

testOnPostgres(
  "a prepared query is planned once on a connection, and anew when a migration changed its rows",
  async (t, cluster) => {
    const url = await cluster.makeDatabase();
    const db = await open(t, url, { connectionsMax: 1 });
    const allEvents = prepareQuery((database, after: number) =>
      database.selectFrom("events").selectAll().where("id", ">", after),
    );
    const count = async (where: Kysely<Tables>): Promise<number> => (await allEvents(where, 0)).length;
    const prepared = async (): Promise<number> => {
      const { rows } = await sql<{ n: number }>`
      select count(*) as n from pg_prepared_statements where statement like '%"events"%'`.execute(db);
      return rows[0]?.n ?? 0;
    };
    await db.insertInto("events").values({ at: 1, type: "t", payload: "{}" }).execute();
    for (let times = 0; times < 3; times += 1) assert.equal(await count(db), 1);
    assert.equal(await prepared(), 1);

    // X22: a newer version beside us adds a column.
    await query(url, "alter table events add column colour text");
    assert.equal(await count(db), 1);
    await query(url, "alter table events add column shape text");
    let attempts = 0;
    const counted = await inTransaction({ db }, async (tx) => {
      attempts += 1;
      return await count(tx.db);
    });
    assert.equal(counted, 1);
    assert.equal(attempts, 2);
  },
);

testOnPostgres(
  "a statement that takes too long is ended by the server, and the connection stays",
  async (t, cluster) => {
    const db = await open(t, await cluster.makeDatabase(), { connectionsMax: 1, statementMilliseconds: 500 });
    const before = await pid(db);
    const late = await failureOf(sql`select pg_sleep(60)`.execute(db));
    assert.match(late.message, /statement timeout/);
    assert.equal(isDatabaseUnavailable(late), true);
    const waiting = await failureOf(
      inTransaction({ db }, async (tx) => {
        await sql`select pg_sleep(60)`.execute(tx.db);
      }),
    );
    assert.equal(isDatabaseUnavailable(waiting), true);
    assert.equal(await pid(db), before);
  },
);

testOnPostgres(
  "a connection that breaks ends its transaction and nothing else; the next one is new",
  async (t, cluster) => {
    const url = await cluster.makeDatabase();
    const lost: Error[] = [];
    const db = await open(t, url, { connectionsMax: 1 }, (error) => lost.push(error));
    const inUse = await failureOf(
      inTransaction({ db }, async (tx) => {
        await tx.db.insertInto("accounts").values(account).execute();
        await query(url, `select pg_terminate_backend(${await pid(tx.db)})`);
        await tx.db.selectFrom("accounts").select("id").execute();
      }),
    );
    assert.equal(isDatabaseUnavailable(inUse), true);
    assert.deepEqual(await db.selectFrom("accounts").select("id").execute(), []);
    assert.equal(lost.length, 0);

    const idle = await pid(db);
    await query(url, `select pg_terminate_backend(${idle})`);
    while (lost.length === 0) await new Promise((resolve) => setImmediate(resolve));
    assert.notEqual(await pid(db), idle);
    assert.equal(isDatabaseUnavailable(lost[0]), true);
  },
);

testOnPostgres(
  "there are never more connections than the pool may have, and all who wait are served",
  async (t, cluster) => {
    const url = await cluster.makeDatabase();
    const db = await open(t, url, { connectionsMax: 3 });
    const pids = await Promise.all(
      Array.from({ length: 60 }, async () => {
        const { rows } = await sql<{ pid: number }>`select pg_backend_pid() as pid, pg_sleep(0.01)`.execute(db);
        return rows[0]?.pid;
      }),
    );
    assert.ok(new Set(pids).size <= 3);
    const [row] = await query<{ n: number }>(
      url,
      "select count(*)::int as n from pg_stat_activity where application_name = 'tollgate' and datname = current_database()",
    );
    assert.ok((row?.n ?? 99) <= 3);
  },
);

testOnPostgres("an acknowledged commit is on the disk, whatever the database says", async (t, cluster) => {
  const url = await cluster.makeDatabase();
  await query(url, "alter role tollgate set synchronous_commit = off");
  await query(url, "alter role tollgate set default_transaction_isolation = 'repeatable read'");
  t.after(() => query(url, "alter role tollgate reset all"));
  const db = await open(t, url);
  const setting = async (where: Kysely<Tables>, name: string): Promise<string | undefined> => {
    const { rows } = await sql<{ value: string }>`select current_setting(${name}) as value`.execute(where);
    return rows[0]?.value;
  };
  assert.equal(await setting(db, "synchronous_commit"), "on");
  assert.equal(await setting(db, "transaction_isolation"), "read committed");
  await inTransaction({ db }, async (tx) => {
    assert.equal(await setting(tx.db, "transaction_isolation"), "serializable");
  });
});

testOnPostgres("a closed database is one that cannot be reached", async (t, cluster) => {
  const db = await open(t, await cluster.makeDatabase());
  await db.selectFrom("accounts").select("id").execute();
  await db.destroy();
  assert.equal(isDatabaseUnavailable(await failureOf(db.selectFrom("accounts").select("id").execute())), true);
});
