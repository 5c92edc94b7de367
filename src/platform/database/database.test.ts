import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test, type TestContext } from "node:test";
import { sql } from "kysely";
import { StartError } from "../start-error.ts";
import { openDatabase } from "./database.ts";
import { openSqliteFile, sqliteStartError } from "./sqlite-file.ts";

const clock = { now: () => 1 };

function makeDirectory(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), "tollgate-database-"));
  t.after(() => rmSync(directory, { recursive: true }));
  return directory;
}

async function sentenceOf(path: string): Promise<string> {
  const error: unknown = await openDatabase({ kind: "sqlite", path }, clock).then(
    () => assert.fail("it should not have opened"),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof StartError, String(error));
  assert.ok(error.message.includes(path) || error.message.includes("DATABASE_URL"));
  return error.message;
}

test("a new database and its directory are for their owner alone", async (t) => {
  const directory = join(makeDirectory(t), "new", "deep");
  const path = join(directory, "tollgate.db");
  await using db = await openDatabase({ kind: "sqlite", path }, clock);
  await db.selectFrom("accounts").select("id").execute();
  const mode = (name: string): number => statSync(name).mode & 0o777;
  assert.equal(mode(directory), 0o700);
  assert.equal(mode(join(directory, "..")), 0o700);
  assert.deepEqual(readdirSync(directory).sort(), ["tollgate.db", "tollgate.db-shm", "tollgate.db-wal"]);
  for (const name of readdirSync(directory)) assert.equal(mode(join(directory, name)), 0o600, name);
});

test("commits outlive a power cut, keys point at something, and the schema is not trusted", async (t) => {
  const settings = { journal_mode: "wal", synchronous: 2, foreign_keys: 1, trusted_schema: 0 };
  await using db = await openDatabase({ kind: "sqlite", path: join(makeDirectory(t), "tollgate.db") }, clock);
  for (const [name, value] of Object.entries(settings)) {
    const { rows } = await sql<Record<string, unknown>>`pragma ${sql.raw(name)}`.execute(db);
    assert.equal(rows[0]?.[name], value, name);
  }
  const { rows } = await sql<{ timeout: number }>`pragma busy_timeout`.execute(db);
  assert.equal(rows[0]?.timeout, 5_000);
  await sql`pragma writable_schema = on`.execute(db);
  await assert.rejects(sql`delete from sqlite_schema`.execute(db), /may not be modified/);
});

test("what was written is there after closing and opening again", async (t) => {
  const path = join(makeDirectory(t), "tollgate.db");
  for (const expected of [0, 1]) {
    await using db = await openDatabase({ kind: "sqlite", path }, clock);
    assert.equal((await db.selectFrom("events").select("id").execute()).length, expected);
    await db.insertInto("events").values({ at: 1, type: "t", payload: "{}" }).execute();
  }
});

test("a file that is no database, or a damaged one, is refused in a sentence and left as it is", async (t) => {
  const directory = makeDirectory(t);
  const text = join(directory, "text.db");
  writeFileSync(text, "this is a letter to my aunt, not a database\n".repeat(50));
  const before = readFileSync(text);
  assert.match(await sentenceOf(text), /is not an SQLite database/);
  assert.deepEqual(readFileSync(text), before);

  const damaged = join(directory, "damaged.db");
  await (await openDatabase({ kind: "sqlite", path: damaged }, clock)).destroy();
  const bytes = readFileSync(damaged);
  bytes.fill(0x5a, 100, 4096); // The schema's page, behind the header.
  writeFileSync(damaged, bytes);
  assert.match(await sentenceOf(damaged), /is damaged/);
  assert.deepEqual(readFileSync(damaged), bytes);
});

test("a place that cannot be written is refused in a sentence", async (t) => {
  const directory = makeDirectory(t);
  writeFileSync(join(directory, "file"), "");
  assert.match(await sentenceOf(join(directory, "file", "tollgate.db")), /cannot be made \((ENOTDIR|EEXIST)\)/);
  mkdirSync(join(directory, "folder.db"));
  assert.match(await sentenceOf(join(directory, "folder.db")), /cannot be written/);
});

test("a database of another program is refused and left as it is", async (t) => {
  const path = join(makeDirectory(t), "other.db");
  const other = new DatabaseSync(path);
  other.exec("create table bookmarks (url text)");
  assert.match(await sentenceOf(path), /another program: it has a table bookmarks/);
  assert.deepEqual(
    other
      .prepare("select name from sqlite_schema")
      .all()
      .map((row) => row["name"]),
    ["bookmarks"],
  );
  other.close();
});

test("a database another program keeps locked is refused in a sentence", async (t) => {
  const path = join(makeDirectory(t), "tollgate.db");
  await (await openDatabase({ kind: "sqlite", path }, clock)).destroy();
  const other = new DatabaseSync(path);
  other.exec("pragma locking_mode = exclusive; begin exclusive");
  const error: unknown = await openSqliteFile(path, 100).catch((reason: unknown) => reason);
  assert.match(String(sqliteStartError(error, path)), /Another program keeps the database .* locked/);
  other.close();
});
