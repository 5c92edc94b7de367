import { setTimeout as wait } from "node:timers/promises";
import { Kysely, sql } from "kysely";
import type { PostgresTarget } from "../../database-url.ts";
import { postgresTarget } from "../database/migrate.ts";
import { postgresStartError } from "../database/postgres-open.ts";
import { createPostgresPool } from "../database/postgres-pool.ts";
import { postgresDialect } from "../database/postgres.ts";
import type { Tables } from "../database/tables.ts";
import { StartError } from "../start-error.ts";
import { hexOf, rowsPerStep, type MoveSide, type Row } from "./move-side.ts";
import type { MovedColumn, MovedTable } from "./moved-tables.ts";

/** One writes, one reads, one has the lock, one puts the end of the window off. */
const connectionsMax = 4;
const waitMilliseconds = 10_000;
const lockTriesMax = 50;
const lockPauseMilliseconds = 100;
const moveLock = sql.lit("7023091827345610002");

export async function openPostgresSide(target: PostgresTarget): Promise<MoveSide> {
  const bounds = { connectionsMax, waitMilliseconds, statementMilliseconds: undefined };
  const db = new Kysely<Tables>({ dialect: postgresDialect(createPostgresPool(target, bounds)) });
  let unlock: () => Promise<void>;
  try {
    unlock = await lockMoves(db, target.shown);
  } catch (error) {
    void db.destroy().catch(() => undefined);
    throw postgresStartError(error, target) ?? error;
  }
  return {
    place: target.shown,
    db,
    tableNames: () => postgresTarget.tableNames(db),
    count: async ({ name }) => {
      const { rows } = await sql<{ n: number }>`select count(*) as n from ${sql.table(name)}`.execute(db);
      return Number(rows[0]?.n);
    },
    read: (table) => readRows(db, table),
    insert: async ({ name, columns }, rows) => {
      const names = sql.join(columns.map((column) => sql.ref(column.name)));
      await sql`insert into ${sql.table(name)} (${names})
        select ${names} from json_populate_recordset(null::${sql.table(name)}, ${textOf(rows, columns)}::json)`.execute(
        db,
      );
    },
    remove: async ({ name, key }, rows) => {
      const names = sql.join(key.map((column) => sql.ref(column.name)));
      await sql`delete from ${sql.table(name)} where (${names}) in
        (select ${names} from json_populate_recordset(null::${sql.table(name)}, ${textOf(rows, key)}::json))`.execute(
        db,
      );
    },
    lastNumber: async (table) => {
      const { rows } = await sql<{ last: number }>`
        select case when is_called then last_value else 0 end as last from ${sequenceOf(table)}`.execute(db);
      return Number(rows[0]?.last ?? 0);
    },
    setLastNumber: async (table, number) => {
      const name = sql.lit(`${table.name}_${table.numbered}_seq`);
      await sql`select setval(${name}::regclass, ${Math.max(1, number)}, ${number > 0})`.execute(db);
    },
    close: async () => {
      await unlock();
      await db.destroy();
    },
  };
}

function sequenceOf({ name, numbered }: MovedTable) {
  return sql.table(`${name}_${numbered}_seq`);
}

/** One move at a time into or out of a database. The lock goes with the process, however that ends. */
async function lockMoves(db: Kysely<Tables>, place: string): Promise<() => Promise<void>> {
  const { promise: released, resolve: release } = Promise.withResolvers<void>();
  const { promise: locked, resolve, reject } = Promise.withResolvers<void>();
  const holding = db.connection().execute(async (connection) => {
    // What a killed promotion had asked for may still be under way.
    for (let tries = 1; !(await takeLock(connection)); tries += 1) {
      if (tries >= lockTriesMax) throw new StartError(`Another promotion works on ${place}: wait for it, or stop it.`);
      await wait(lockPauseMilliseconds);
    }
    resolve();
    await released;
    await sql`select pg_advisory_unlock(${moveLock}::bigint)`.execute(connection);
  });
  holding.catch(reject);
  await locked;
  return async () => {
    release();
    await holding;
  };
}

async function takeLock(connection: Kysely<Tables>): Promise<boolean> {
  const { rows } = await sql<{ is: 0 | 1 }>`select pg_try_advisory_lock(${moveLock}::bigint) as is`.execute(connection);
  return rows[0]?.is === 1;
}

// A cursor, for one sort and one moment; by code points, as SQLite sorts, whatever language the database speaks.
async function* readRows(
  db: Kysely<Tables>,
  { name, columns, key }: MovedTable,
): AsyncGenerator<readonly Row[], undefined> {
  const names = sql.join(columns.map((column) => sql.ref(column.name)));
  const order = sql.join(
    key.map(({ name: column, type }) => (type === "text" ? sql`${sql.ref(column)} collate "C"` : sql.ref(column))),
  );
  const connection = await db.startTransaction().setIsolationLevel("repeatable read").execute();
  try {
    // What reads may wait for what writes.
    await sql`set local idle_in_transaction_session_timeout = 0`.execute(connection);
    await sql`declare moved no scroll cursor for select ${names} from ${sql.table(name)} order by ${order}`.execute(
      connection,
    );
    for (;;) {
      const { rows } = await sql<Row>`fetch ${sql.lit(rowsPerStep)} from moved`.execute(connection);
      if (rows.length > 0) yield rows;
      if (rows.length < rowsPerStep) return undefined;
    }
  } finally {
    await connection.rollback().execute();
  }
}

/** JSON of these columns; bytes as PostgreSQL writes them, \\x and hexadecimal. */
function textOf(rows: readonly Row[], columns: readonly MovedColumn[]): string {
  const plain = (row: Row, { name, type }: MovedColumn): unknown => {
    const value = row[name] ?? null;
    return type === "blob" && value instanceof Uint8Array ? String.raw`\x` + hexOf(value) : value;
  };
  return JSON.stringify(
    rows.map((row) => Object.fromEntries(columns.map((column) => [column.name, plain(row, column)]))),
  );
}
