import { PostgresAdapter, sql, type Kysely } from "kysely";
import { PostgresError } from "./postgres-faults.ts";
import { sqliteReadOnlyMessage } from "./sqlite-faults.ts";
import type { Tables } from "./tables.ts";

/**
 * A time in which nobody writes, kept by the database itself: a trigger on every table refuses each row that would
 * change. So it holds at once for every process that has the database open, in whatever it is about to do; what was
 * being written when the window opened is finished first. Reading goes on.
 *
 * A window ends by itself at a time that its keeper puts off again and again: a keeper that was killed locks nobody out
 * for longer. By the clock of the machine that keeps the database, which no switch turns.
 */
export type WindowKeeper = { readonly id: string; readonly milliseconds: number };

/** No end: the database was left for another one. */
export const forever = Number.MAX_SAFE_INTEGER;

/** The tables that stay writable: what the window itself is written in. */
const unguarded: ReadonlySet<string> = new Set(["moves", "migrations"]);

const readOnlyState = "TG001";

/** Whether a write was refused because a window is open. */
export function isReadOnlyWindow(error: unknown): boolean {
  if (error instanceof PostgresError) return error.code === readOnlyState;
  return error instanceof Error && error.message === sqliteReadOnlyMessage;
}

/** Whether the database takes no writes now. */
export async function isReadOnly(db: Kysely<Tables>): Promise<boolean> {
  const { rows } = await sql<{ is: number }>`
    select count(*) as "is" from moves where read_only_until > ${nowOf(db)}`.execute(db);
  return Number(rows[0]?.is) > 0;
}

/** Guards every table, until the window of the row in `moves` ends. Call it in the transaction that writes that row. */
export async function guardTables(tx: Kysely<Tables>, tables: readonly string[], until: number): Promise<void> {
  const guarded = tables.filter((table) => !unguarded.has(table));
  if (isPostgres(tx)) {
    await writePostgresGuard(tx, until);
    // In the order of their names, so that no two that wait for tables wait for each other.
    for (const table of guarded.toSorted()) {
      await sql`create or replace trigger tollgate_read_only before insert or update or delete on ${sql.table(table)}
        for each row execute function tollgate_read_only()`.execute(tx);
    }
    return;
  }
  for (const table of guarded) {
    for (const change of ["insert", "update", "delete"]) {
      await sql`create trigger if not exists ${sql.id(`tollgate_read_only_${table}_${change}`)}
        before ${sql.raw(change)} on ${sql.table(table)}
        when (select max(read_only_until) from moves) > ${sqliteNow}
        begin select raise(abort, ${sql.lit(sqliteReadOnlyMessage)}); end`.execute(tx);
    }
  }
}

/** Takes the guards away: everybody may write again when the transaction is through. */
export async function unguardTables(tx: Kysely<Tables>, tables: readonly string[]): Promise<void> {
  const guarded = tables.filter((table) => !unguarded.has(table));
  if (isPostgres(tx)) {
    for (const table of guarded.toSorted()) {
      await sql`drop trigger if exists tollgate_read_only on ${sql.table(table)}`.execute(tx);
    }
    await sql`drop function if exists tollgate_read_only()`.execute(tx);
    return;
  }
  for (const table of guarded) {
    for (const change of ["insert", "update", "delete"]) {
      await sql`drop trigger if exists ${sql.id(`tollgate_read_only_${table}_${change}`)}`.execute(tx);
    }
  }
}

/**
 * Puts the end of the window off, or sets it for good. `false` when it was over already: somebody may have written since.
 */
export async function extendWindow(
  tx: Kysely<Tables>,
  { id, milliseconds }: WindowKeeper,
  state: "leaving" | "left",
): Promise<boolean> {
  const now = await timeOf(tx);
  const until = milliseconds === forever ? forever : now + milliseconds;
  const { numUpdatedRows } = await tx
    .updateTable("moves")
    .set({ state, read_only_until: until })
    .where("id", "=", id)
    // A renewal that comes late must not give an end to what was left for good.
    .where("state", "=", "leaving")
    .where("read_only_until", ">", now)
    .executeTakeFirstOrThrow();
  if (numUpdatedRows !== 1n) return false;
  if (isPostgres(tx)) await writePostgresGuard(tx, until);
  return true;
}

/** Milliseconds since the epoch, by the clock that windows end by. */
export async function timeOf(db: Kysely<Tables>): Promise<number> {
  const { rows } = await sql<{ now: number }>`select ${nowOf(db)} as now`.execute(db);
  return Number(rows[0]?.now);
}

const sqliteNow = sql<number>`cast(unixepoch('subsec') * 1000 as integer)`;
const postgresNow = sql<number>`(extract(epoch from clock_timestamp()) * 1000)::bigint`;

function nowOf(db: Kysely<Tables>): typeof sqliteNow {
  return isPostgres(db) ? postgresNow : sqliteNow;
}

function isPostgres(db: Kysely<Tables>): boolean {
  return db.getExecutor().adapter instanceof PostgresAdapter;
}

// The end stands in the function, not in a row: a transaction that began before the window sees rows as they were then,
// and would write; but functions as they are now.
async function writePostgresGuard(tx: Kysely<Tables>, until: number): Promise<void> {
  const body = `begin
      if extract(epoch from clock_timestamp()) * 1000 < ${until} then
        raise exception 'the database takes no writes' using errcode = '${readOnlyState}';
      end if;
      if tg_op = 'DELETE' then return old; end if;
      return new;
    end`;
  await sql`create or replace function tollgate_read_only() returns trigger language plpgsql as ${sql.lit(body)}`.execute(
    tx,
  );
}
