import { sql, type Expression, type Kysely } from "kysely";
import type { Clock } from "../clock.ts";
import { StartError } from "../start-error.ts";
import type { Tables } from "./tables.ts";
import { migration0001 } from "./migrations/0001-foundation.ts";
import { migration0002 } from "./migrations/0002-forced-password-change.ts";
import { migration0005 } from "./migrations/0005-throwaway-accounts.ts";

/**
 * Migrations go forward only, at start, each in a transaction of its own together with the row that says it ran:
 * a process killed at any moment leaves either all of it or nothing, and the next start goes on from there.
 *
 * Kysely's Migrator is not used: on SQLite it runs without a transaction, because its adapter says that SQLite
 * has no transactional DDL (it has); and it keeps a lock table, which a killed process could leave locked.
 */
export type Migration = {
  /** Number and word, as its file is named; never changed once released. */
  readonly name: string;
  readonly up: (db: MigrationDatabase, words: SchemaWords) => Promise<void>;
};

/** The schema builder and plain SQL only: tables.ts tells how tables are after the last migration, not before. */
export type MigrationDatabase = Pick<Kysely<Tables>, "schema" | "getExecutor">;

/** The words in which databases differ, so that a migration is written once. */
export type SchemaWords = {
  /** 64 bits: times in milliseconds do not fit into 32. */
  readonly wholeNumber: "integer" | "bigint";
  readonly bytes: "blob" | "bytea";
  /** What follows the closing bracket of a table. */
  readonly tableEnd: Expression<unknown>;
};

// A STRICT table refuses a value of another type than its column's instead of keeping it.
export const sqliteWords: SchemaWords = { wholeNumber: "integer", bytes: "blob", tableEnd: sql`strict` };

/** In the order they run. */
export const allMigrations: readonly Migration[] = [migration0001, migration0002, migration0005];

/**
 * Brings the database to this version and returns the names of the migrations that ran now.
 * Throws StartError if the database belongs to a newer version, or to another program; nothing is changed then.
 */
export async function migrate(
  db: Kysely<Tables>,
  options: { clock: Pick<Clock, "now">; words: SchemaWords; migrations?: readonly Migration[] },
): Promise<readonly string[]> {
  const migrations = options.migrations ?? allMigrations;
  const ran: string[] = [];
  for (;;) {
    // What is left to do is read inside the transaction, which holds the write lock from its beginning:
    // of two processes that start together, the second finds the work of the first.
    const name = await db.transaction().execute(async (tx) => {
      const next = nextMigration(await appliedNames(tx, options.words), migrations);
      if (next === undefined) return undefined;
      await next.up(tx, options.words);
      await tx.insertInto("migrations").values({ name: next.name, applied_at: options.clock.now() }).execute();
      return next.name;
    });
    if (name === undefined) return ran;
    ran.push(name);
  }
}

async function appliedNames(db: Kysely<Tables>, words: SchemaWords): Promise<readonly string[]> {
  const tables = await db.introspection.getTables();
  if (tables.some((table) => table.name === "migrations")) {
    const rows = await db.selectFrom("migrations").select("name").orderBy("name").execute();
    return rows.map((row) => row.name);
  }
  if (tables.length > 0) {
    throw new StartError(
      `The database belongs to another program: it has a table ${tables[0]?.name}, but none that Tollgate keeps. ` +
        "Set DATABASE_URL to a database of Tollgate's own; nothing was changed.",
    );
  }
  await db.schema
    .createTable("migrations")
    .addColumn("name", "text", (column) => column.primaryKey().notNull())
    .addColumn("applied_at", words.wholeNumber, (column) => column.notNull())
    .modifyEnd(words.tableEnd)
    .execute();
  return [];
}

function nextMigration(applied: readonly string[], migrations: readonly Migration[]): Migration | undefined {
  const unknown = applied.find((name) => !migrations.some((migration) => migration.name === name));
  if (unknown !== undefined) {
    throw new StartError(
      `The database was written by a newer version of Tollgate: it has run the migration ${unknown}, ` +
        `and this version ends with ${migrations.at(-1)?.name}. ` +
        "Start that version again, or restore the backup made before it; nothing was changed.",
    );
  }
  return migrations.find((migration) => !applied.includes(migration.name));
}
