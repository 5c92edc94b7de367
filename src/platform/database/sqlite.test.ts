import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { test, type TestContext } from "node:test";
import { setImmediate as nextRound } from "node:timers/promises";
import { CompiledQuery, Kysely, sql } from "kysely";
import { sqliteDialect } from "./sqlite.ts";

type Words = { words: { id: number; word: string } };

function openWords(t: TestContext): { db: Kysely<Words>; raw: DatabaseSync } {
  const raw = new DatabaseSync(":memory:");
  raw.exec("create table words (id integer primary key, word text not null unique) strict");
  const db = new Kysely<Words>({ dialect: sqliteDialect(raw) });
  t.after(() => db.destroy());
  return { db, raw };
}

test("no foreign query lands inside a transaction: 50 at once, pausing between statements, beside plain reads", async (t) => {
  const { db, raw } = openWords(t);
  let inside: number | undefined;
  const seen: string[] = [];

  const transactions = Array.from({ length: 50 }, (_, number) =>
    db.transaction().execute(async (tx) => {
      assert.equal(inside, undefined);
      inside = number;
      for (const half of [0, 1]) {
        await tx
          .insertInto("words")
          .values({ id: number * 2 + half, word: `${number}-${half}` })
          .execute();
        await nextRound();
        assert.equal(inside, number);
        assert.equal(raw.isTransaction, true);
      }
      inside = undefined;
      if (number % 5 === 0) throw new Error("undo");
    }),
  );
  const reads = Array.from({ length: 50 }, async () => {
    await nextRound();
    const rows = await db.selectFrom("words").select("id").execute();
    assert.equal(rows.length % 2, 0, "a read saw half of a transaction");
    seen.push("read");
  });

  const outcomes = await Promise.allSettled(transactions);
  await Promise.all(reads);
  assert.equal(outcomes.filter((outcome) => outcome.status === "rejected").length, 10);
  assert.equal(seen.length, 50);
  const { count } = await db
    .selectFrom("words")
    .select(sql<number>`count(*)`.as("count"))
    .executeTakeFirstOrThrow();
  assert.equal(count, 80);
  assert.equal(raw.isTransaction, false);
});

test("a transaction holds the write lock from its beginning, so it cannot lose it half-way", async (t) => {
  const { db, raw } = openWords(t);
  const begun: string[] = [];
  const prepare = raw.prepare.bind(raw);
  t.mock.method(raw, "prepare", (text: string) => {
    begun.push(text);
    return prepare(text);
  });
  await db.transaction().execute((tx) => tx.selectFrom("words").selectAll().execute());
  assert.deepEqual(begun, ["begin immediate", 'select * from "words"', "commit"]);
});

test("a statement is prepared once, at most 200 are kept, and a changed table is seen", async (t) => {
  const { db, raw } = openWords(t);
  const prepared = t.mock.method(raw, "prepare");
  const readAll = (): Promise<object[]> => db.selectFrom("words").selectAll().execute();
  await db.insertInto("words").values({ id: 1, word: "one" }).execute();
  await readAll();
  await readAll();
  assert.equal(prepared.mock.callCount(), 2);

  raw.exec("alter table words add column language text default 'en'");
  assert.deepEqual({ ...(await readAll())[0] }, { id: 1, word: "one", language: "en" });
  assert.equal(prepared.mock.callCount(), 2);

  for (let number = 0; number < 200; number++) await db.executeQuery(CompiledQuery.raw(`select ${number}`));
  await readAll();
  assert.equal(prepared.mock.callCount(), 2 + 200 + 1, "the oldest were dropped");
});

test("rows can be read one by one, and stopping early leaves the statement usable", async (t) => {
  const { db } = openWords(t);
  await db
    .insertInto("words")
    .values([
      { id: 1, word: "a" },
      { id: 2, word: "b" },
      { id: 3, word: "c" },
    ])
    .execute();
  const query = db.selectFrom("words").selectAll().orderBy("id");
  const ids: number[] = [];
  for await (const row of query.stream()) {
    ids.push(row.id);
    if (row.id === 2) break;
  }
  assert.deepEqual(ids, [1, 2]);
  assert.equal((await query.execute()).length, 3);
});

test("inserts tell the new id, updates the number of rows, and returning gives rows", async (t) => {
  const { db } = openWords(t);
  const inserted = await db.insertInto("words").values({ id: 7, word: "a" }).executeTakeFirstOrThrow();
  assert.equal(inserted.insertId, 7n);
  const updated = await db.updateTable("words").set({ word: "b" }).executeTakeFirstOrThrow();
  assert.equal(updated.numUpdatedRows, 1n);
  const removed = await db.deleteFrom("words").returning("word").executeTakeFirstOrThrow();
  assert.equal(removed.word, "b");
});
