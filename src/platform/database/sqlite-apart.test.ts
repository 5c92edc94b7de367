import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { test, type TestContext } from "node:test";
import { setImmediate as nextRound } from "node:timers/promises";
import { Kysely, sql } from "kysely";
import { temporaryDirectory } from "../../../test/support/server-process.ts";
import { isSqliteUniqueViolation } from "./sqlite-faults.ts";
import { openSqliteFile } from "./sqlite-file.ts";
import { sqliteApartDialect } from "./sqlite-apart.ts";
import { openSqliteWriter } from "./sqlite-writer.ts";
import { prepareQuery } from "./prepared-query.ts";
import type { Tables } from "./tables.ts";

type Words = { words: { id: number; word: string } };

async function openWords(t: TestContext): Promise<{ db: Kysely<Words>; other: DatabaseSync }> {
  const path = `${temporaryDirectory(t)}/words.db`;
  const reader = await openSqliteFile(path);
  const other = new DatabaseSync(path, { timeout: 0 });
  other.exec("create table words (id integer primary key, word text not null unique) strict");
  const db = new Kysely<Words>({ dialect: sqliteApartDialect(reader, openSqliteWriter(path)) });
  t.after(async () => {
    await db.destroy();
    other.close();
  });
  return { db, other };
}

const wordsOf = async (db: Kysely<Words>): Promise<readonly string[]> =>
  (await db.selectFrom("words").select("word").orderBy("id").execute()).map(({ word }) => word);
const add = (db: Kysely<Words>, word: string) => db.insertInto("words").values({ id: undefined as never, word });

test("what writes is seen by the next read; inserts tell the new id, updates the number of rows, returning gives rows", async (t) => {
  const { db } = await openWords(t);
  assert.equal((await add(db, "one").executeTakeFirstOrThrow()).insertId, 1n);
  assert.deepEqual(await wordsOf(db), ["one"]);
  const [two] = await add(db, "two").returning(["id", "word"]).execute();
  assert.deepEqual({ ...two }, { id: 2, word: "two" });
  const { numUpdatedRows } = await db
    .updateTable("words")
    .set({ word: sql`word || '!'` })
    .executeTakeFirstOrThrow();
  assert.equal(numUpdatedRows, 2n);
  assert.deepEqual(await wordsOf(db), ["one!", "two!"]);
});

test("a fault there is that fault here, and undoes its transaction", async (t) => {
  const { db } = await openWords(t);
  await add(db, "one").execute();
  await assert.rejects(add(db, "one").execute(), (error) => isSqliteUniqueViolation(error, "words.word"));
  const undone = db.transaction().execute(async (tx) => {
    await add(tx, "two").execute();
    assert.deepEqual(await wordsOf(tx), ["one", "two"], "its own writes are seen in it");
    assert.deepEqual(await wordsOf(db), ["one"], "and not outside");
    await add(tx, "one").execute();
  });
  await assert.rejects(undone, (error) => isSqliteUniqueViolation(error, "words.word"));
  assert.deepEqual(await wordsOf(db), ["one"]);
  await assert.rejects(add(db, { no: "text" } as never).execute(), /named parameter/);
  await add(db, "three").execute();
  assert.deepEqual(await wordsOf(db), ["one", "three"]);
});

test("one transaction at a time: 40 at once, pausing between their statements", async (t) => {
  const { db } = await openWords(t);
  const outcomes = await Promise.allSettled(
    Array.from({ length: 40 }, (_, number) =>
      db.transaction().execute(async (tx) => {
        const before = (await wordsOf(tx)).length;
        await add(tx, `${number}-a`).execute();
        await nextRound();
        await add(tx, `${number}-b`).execute();
        assert.equal((await wordsOf(tx)).length, before + 2);
        if (number % 4 === 0) throw new Error("undo");
      }),
    ),
  );
  assert.equal(outcomes.filter(({ status }) => status === "fulfilled").length, 30);
  assert.equal((await wordsOf(db)).length, 60);
});

test("who reads does not wait for who writes", async (t) => {
  const { db, other } = await openWords(t);
  await add(db, "one").execute();
  other.exec("begin immediate"); // As if the disk took its time: the writer waits for this lock.
  let isWritten = false;
  const written = add(db, "two")
    .execute()
    .then(() => (isWritten = true));
  for (let read = 0; read < 200; read += 1) {
    assert.deepEqual(await wordsOf(db), ["one"]);
    await nextRound();
  }
  assert.equal(isWritten, false);
  other.exec("commit");
  await written;
  assert.deepEqual(await wordsOf(db), ["one", "two"]);
});

test("the connection that reads can write nothing, and what is remembered is as fresh as what is read", async (t) => {
  const { db } = await openWords(t);
  const wordOf = prepareQuery(
    (one: Kysely<Tables>, id: number) =>
      (one as unknown as Kysely<Words>).selectFrom("words").select("word").where("id", "=", id),
    { isRemembered: true },
  );
  await add(db, "0").execute();
  for (let time = 1; time <= 50; time += 1) {
    for (let read = 1; read <= 3; read += 1) {
      const [row] = await wordOf(db as unknown as Kysely<Tables>, 1);
      assert.equal(row?.word, String(time - 1));
    }
    await db
      .updateTable("words")
      .set({ word: String(time) })
      .execute();
  }
  const path = `${temporaryDirectory(t)}/empty.db`;
  const reader = await openSqliteFile(path);
  const alone = new Kysely<Words>({ dialect: sqliteApartDialect(reader, openSqliteWriter(path)) });
  t.after(() => alone.destroy());
  assert.throws(() => reader.exec("create table words (id integer)"), /readonly/);
});
