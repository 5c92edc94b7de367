import assert from "node:assert/strict";
import { test } from "node:test";
import { type Kysely, sql } from "kysely";
import { openBareDatabase } from "../../../test/support/test-database.ts";
import { StartError } from "../start-error.ts";
import { allMigrations, migrate, type Migration } from "./migrate.ts";
import type { Tables } from "./tables.ts";

const creates = (name: string, table: string): Migration => ({
  name,
  up: async (db) => await db.schema.createTable(table).addColumn("id", "integer").execute(),
});
const clock = { now: () => 7 };

async function tableNames(db: Kysely<Tables>): Promise<string[]> {
  return (await db.introspection.getTables()).map((table) => table.name);
}

test("runs what is pending, in order, once", async (t) => {
  const { db, target } = await openBareDatabase(t);
  const options = { clock, target };
  const one = creates("0001-one", "one");
  const two = creates("0002-two", "two");
  assert.deepEqual(await migrate(db, { ...options, migrations: [one] }), ["0001-one"]);
  assert.deepEqual(await migrate(db, { ...options, migrations: [one, two] }), ["0002-two"]);
  assert.deepEqual(await migrate(db, { ...options, migrations: [one, two] }), []);
  const rows = await db.selectFrom("migrations").selectAll().execute();
  assert.deepEqual(
    rows.map((row) => ({ ...row })),
    [
      { name: "0001-one", applied_at: 7 },
      { name: "0002-two", applied_at: 7 },
    ],
  );
});

test("a migration that fails leaves nothing of itself, and all of those before it", async (t) => {
  const { db, target } = await openBareDatabase(t);
  const options = { clock, target };
  const failing: Migration = {
    name: "0002-two",
    up: async (tx, words) => {
      await creates("", "two").up(tx, words);
      await sql`select 1 from nowhere`.execute(tx);
    },
  };
  await assert.rejects(migrate(db, { ...options, migrations: [creates("0001-one", "one"), failing] }), /nowhere/);
  assert.deepEqual(await tableNames(db), ["migrations", "one"]);
  assert.deepEqual(
    (await db.selectFrom("migrations").select("name").execute()).map((row) => row.name),
    ["0001-one"],
  );
});

test("a database of a newer version is refused, with the way out, and left as it is", async (t) => {
  const { db, target } = await openBareDatabase(t);
  const options = { clock, target };
  await migrate(db, options);
  await db.insertInto("migrations").values({ name: "0999-future", applied_at: 9 }).execute();
  const before = await tableNames(db);
  const pending = [...allMigrations, creates("0998-pending", "pending")];
  await assert.rejects(migrate(db, { ...options, migrations: pending }), (error) => {
    assert.ok(error instanceof StartError);
    assert.match(
      error.message,
      /newer version of Tollgate: .*0999-future.* ends with 0998-pending.*Start that version/,
    );
    return true;
  });
  assert.deepEqual(await tableNames(db), before);
});

test("migrations are numbered, and run in the order of their numbers", () => {
  const numbers = allMigrations.map(({ name }) => /^(\d{4})-[a-z-]+$/.exec(name)?.[1] ?? name);
  assert.deepEqual(numbers, [...new Set(numbers)].toSorted());
  assert.equal(numbers[0], "0001");
});
