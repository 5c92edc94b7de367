import { globSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Kysely } from "kysely";
import { type Config, readConfig } from "../../src/config.ts";
import type { Clock } from "../../src/platform/clock.ts";
import { openDatabase } from "../../src/platform/database/database.ts";
import { type MigrationTarget, postgresTarget, sqliteTarget } from "../../src/platform/database/migrate.ts";
import { createPostgresPool } from "../../src/platform/database/postgres-pool.ts";
import { postgresDialect } from "../../src/platform/database/postgres.ts";
import { sqliteDialect } from "../../src/platform/database/sqlite.ts";
import { openSqliteInMemory } from "../../src/platform/database/sqlite-file.ts";
import type { Tables } from "../../src/platform/database/tables.ts";
import { query } from "./postgres-cluster.ts";

/**
 * The databases of this run. `npm run test:postgres` sets TEST_POSTGRES to a server of its own, and the very tests that
 * run on SQLite run on PostgreSQL.
 */
export type TestDatabase = {
  /** A DATABASE_URL. */
  readonly url: string;
  /** Once nobody uses it any more. */
  readonly remove: () => Promise<void>;
};

/** A test; or `{ after }` of node:test: the whole file. */
export type Lifetime = { readonly after: (work: () => Promise<void> | void) => void };

const server = process.env["TEST_POSTGRES"] ?? "";

export const isOnPostgres = server !== "";

let made = 0;

/** An empty database for one process alone: in memory, where there is such a thing. */
export async function makeDatabase(): Promise<TestDatabase> {
  if (isOnPostgres) return await makePostgresDatabase();
  return { url: "sqlite::memory:", remove: async () => undefined };
}

/** An empty database that several processes may open, and that outlives them. */
async function makeSharedDatabase(): Promise<TestDatabase> {
  if (isOnPostgres) return await makePostgresDatabase();
  const directory = mkdtempSync(join(tmpdir(), "tollgate-"));
  return {
    url: `sqlite:${directory}/tollgate.db`,
    remove: async () => rmSync(directory, { recursive: true, force: true }),
  };
}

/** The DATABASE_URL of such a database; it goes when the test ends. */
export async function sharedDatabase(t: Lifetime): Promise<string> {
  const { url, remove } = await makeSharedDatabase();
  t.after(remove);
  return url;
}

async function makePostgresDatabase(): Promise<TestDatabase> {
  made += 1;
  const name = `test_${process.pid}_${made}`;
  await query(server, `create database ${name}`);
  const url = new URL(server);
  url.pathname = `/${name}`;
  return { url: url.href, remove: async () => void (await query(server, `drop database ${name} with (force)`)) };
}

/** Opens a database of this run, migrated; it goes when the test ends. */
export async function openTestDatabase(
  t: Lifetime,
  clock: Pick<Clock, "now"> = { now: () => 1 },
): Promise<Kysely<Tables>> {
  const { url, remove } = await makeDatabase();
  const db = await openUrl(url, clock);
  t.after(async () => {
    await db.destroy();
    await remove();
  });
  return db;
}

/** A database of this run without any table, and how it is migrated; it goes when the test ends. */
export async function openBareDatabase(t: Lifetime): Promise<{ db: Kysely<Tables>; target: MigrationTarget }> {
  const { url, remove } = await makeDatabase();
  const database = databaseOf(url);
  const dialect =
    database.kind === "postgres"
      ? postgresDialect(createPostgresPool(database.target, database.bounds))
      : sqliteDialect(openSqliteInMemory());
  const db = new Kysely<Tables>({ dialect });
  t.after(async () => {
    await db.destroy();
    await remove();
  });
  return { db, target: isOnPostgres ? postgresTarget : sqliteTarget };
}

export function databaseOf(url: string): Config["database"] {
  const reading = readConfig({ DATABASE_URL: url });
  if (!reading.ok) throw new Error(reading.faults.join("\n"));
  return reading.config.database;
}

/** All that a database holds, as one text: bytes as latin1. On SQLite with what was deleted and not yet overwritten. */
export async function textOf(url: string): Promise<string> {
  const database = databaseOf(url);
  if (database.kind === "sqlite") {
    const files = globSync(`${database.path}*`);
    if (files.length === 0) throw new Error(`there is no ${database.path}`);
    return files.map((file) => readFileSync(file, "latin1")).join("\n");
  }
  const texts: string[] = [];
  const tables = await query<{ name: string }>(
    url,
    "select tablename as name from pg_tables where schemaname = 'public'",
  );
  for (const { name } of tables) {
    const cells = (await query<Record<string, unknown>>(url, `select * from ${name}`)).flatMap((row) =>
      Object.values(row),
    );
    texts.push(...cells.map((cell) => (Buffer.isBuffer(cell) ? cell.toString("latin1") : String(cell))));
  }
  return texts.join("\n");
}

export async function openUrl(url: string, clock: Pick<Clock, "now"> = { now: () => 1 }): Promise<Kysely<Tables>> {
  return await openDatabase(databaseOf(url), clock);
}
