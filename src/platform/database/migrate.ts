import { sql, type ColumnDefinitionBuilder, type Expression, type Kysely } from "kysely";
import type { Clock } from "../clock.ts";
import { StartError } from "../start-error.ts";
import type { Tables } from "./tables.ts";
import { migration0001 } from "./migrations/0001-foundation.ts";
import { migration0002 } from "./migrations/0002-forced-password-change.ts";
import { migration0003 } from "./migrations/0003-account-search.ts";
import { migration0004 } from "./migrations/0004-activity.ts";
import { migration0005 } from "./migrations/0005-throwaway-accounts.ts";
import { migration0006 } from "./migrations/0006-mail.ts";
import { migration0007 } from "./migrations/0007-moves.ts";

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
  /** 64 bits, for ids, times and counts: "integer" has 32 in PostgreSQL. */
  readonly wholeNumber: "integer" | "bigint";
  readonly bytes: "blob" | "bytea";
  /** For the column of a whole number: the primary key, given by the database and never given again. */
  readonly newNumber: (column: ColumnDefinitionBuilder) => ColumnDefinitionBuilder;
  /** Text whose order is that of its code points, whatever language the database speaks. */
  readonly orderedText: "text" | Expression<unknown>;
  /** What follows the closing bracket of a table. */
  readonly tableEnd: Expression<unknown>;
  /** The same for a table that is little more than its primary key, and is kept once, in that order. */
  readonly keyTableEnd: Expression<unknown>;
};

/** How a database is migrated. */
export type MigrationTarget = {
  readonly words: SchemaWords;
  /** Waits until no other process migrates; lets go when the transaction ends. The first thing in it. */
  readonly waitForTurn: (tx: Kysely<Tables>) => Promise<void>;
  /** The names of the tables where ours are, and of no other place. */
  readonly tableNames: (tx: Kysely<Tables>) => Promise<readonly string[]>;
};

export const sqliteTarget: MigrationTarget = {
  words: {
    wholeNumber: "integer",
    bytes: "blob",
    // Without autoincrement SQLite gives the number of the last row, once deleted, to the next one.
    newNumber: (column) => column.primaryKey().autoIncrement().notNull(),
    orderedText: "text",
    // A STRICT table refuses a value of another type than its column's instead of keeping it.
    tableEnd: sql`strict`,
    keyTableEnd: sql`strict, without rowid`,
  },
  waitForTurn: async () => undefined, // The transaction holds the write lock from its beginning.
  tableNames: async (tx) => (await tx.introspection.getTables()).map((table) => table.name),
};

const migrationLock = sql.lit("7023091827345610001");
const turnSecondsMax = 60;

export const postgresTarget: MigrationTarget = {
  words: {
    wholeNumber: "bigint",
    bytes: "bytea",
    // "By default": a promotion from SQLite brings its numbers along.
    newNumber: (column) => column.primaryKey().generatedByDefaultAsIdentity().notNull(),
    orderedText: sql`text collate "C"`,
    tableEnd: sql``,
    keyTableEnd: sql``,
  },
  waitForTurn: async (tx) => {
    await sql`set local lock_timeout = ${sql.lit(`${turnSecondsMax}s`)}`.execute(tx);
    await sql`select pg_advisory_xact_lock(${migrationLock}::bigint)`.execute(tx);
  },
  tableNames: async (tx) => {
    const { rows } = await sql<{ name: string }>`
      select tablename as name from pg_tables where schemaname = current_schema() order by tablename`.execute(tx);
    return rows.map(({ name }) => name);
  },
};

/** In the order they run. */
export const allMigrations: readonly Migration[] = [
  migration0001,
  migration0002,
  migration0003,
  migration0004,
  migration0005,
  migration0006,
  migration0007,
];

/** What a database with these migrations lacks, and what only a newer version knows. */
export function compareMigrations(applied: readonly string[]): {
  readonly pending: readonly string[];
  readonly unknown: readonly string[];
} {
  const known = allMigrations.map(({ name }) => name);
  return {
    pending: known.filter((name) => !applied.includes(name)),
    unknown: applied.filter((name) => !known.includes(name)),
  };
}

/**
 * Brings the database to this version and returns the names of the migrations that ran now.
 * Throws StartError if the database belongs to a newer version, or to another program; nothing is changed then.
 */
export async function migrate(
  db: Kysely<Tables>,
  options: { clock: Pick<Clock, "now">; target: MigrationTarget; migrations?: readonly Migration[] },
): Promise<readonly string[]> {
  const { target, migrations = allMigrations } = options;
  const ran: string[] = [];
  for (;;) {
    // What is left to do is read inside the transaction, when its turn has come: of two processes that start
    // together, the second finds the work of the first. It must see what was committed while it waited, which
    // PostgreSQL shows to a transaction of READ COMMITTED alone.
    const name = await db
      .transaction()
      .setIsolationLevel("read committed")
      .execute(async (tx) => {
        await target.waitForTurn(tx);
        const next = nextMigration(await appliedNames(tx, target), migrations);
        if (next === undefined) return undefined;
        await next.up(tx, target.words);
        await tx.insertInto("migrations").values({ name: next.name, applied_at: options.clock.now() }).execute();
        return next.name;
      });
    if (name === undefined) return ran;
    ran.push(name);
  }
}

async function appliedNames(db: Kysely<Tables>, target: MigrationTarget): Promise<readonly string[]> {
  const tables = await target.tableNames(db);
  if (tables.includes("migrations")) {
    const rows = await db.selectFrom("migrations").select("name").orderBy("name").execute();
    return rows.map((row) => row.name);
  }
  if (tables.length > 0) {
    throw new StartError(
      `The database belongs to another program: it has a table ${tables[0]}, but none that Tollgate keeps. ` +
        "Set DATABASE_URL to a database of Tollgate's own; nothing was changed.",
    );
  }
  await db.schema
    .createTable("migrations")
    .addColumn("name", "text", (column) => column.primaryKey().notNull())
    .addColumn("applied_at", target.words.wholeNumber, (column) => column.notNull())
    .modifyEnd(target.words.tableEnd)
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
