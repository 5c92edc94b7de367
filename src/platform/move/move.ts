import { randomUUID } from "node:crypto";
import type { Kysely } from "kysely";
import type { PostgresTarget } from "../../database-url.ts";
import type { Clock } from "../clock.ts";
import { migrate, postgresTarget } from "../database/migrate.ts";
import { findMove } from "../database/moves.ts";
import { unguardTables } from "../database/read-only-window.ts";
import type { MoveState, Tables } from "../database/tables.ts";
import { inTransaction } from "../database/transaction.ts";
import { StartError } from "../start-error.ts";
import { copyTable, digestTable, type TableDigest } from "./copy-table.ts";
import type { MoveSide } from "./move-side.ts";
import { inWindow, leave } from "./move-window.ts";
import { movedTables, type MovedTable } from "./moved-tables.ts";
import { openPostgresSide } from "./postgres-side.ts";
import { pathBack, refuseOtherSchema, refuseSource, refuseTarget, refuseWayBack } from "./refusals.ts";
import { openSqliteSide, type SqliteSide } from "./sqlite-side.ts";

/**
 * Moves the accounts from a file to PostgreSQL, and back. docs/decisions/0028 tells why it is done so.
 *
 * The one that is left takes no writes from the first row that is read to its end, and for good once the copy was
 * verified. Of the two, one at most ever takes writes, wherever a process is killed:
 *
 *     left file   → leaving (writes refused for so many seconds, again and again) → left (for good)
 *     PostgreSQL  → arriving (no server starts on it)                             → arrived, once the file is left
 */
export type MoveOptions = {
  readonly path: string;
  readonly target: PostgresTarget;
  readonly clock: Pick<Clock, "now">;
  /** Hears how far it is; throws to stop the move. */
  readonly report: (progress: MoveProgress) => void;
};

export type MoveProgress = {
  readonly doing: "copying" | "comparing";
  readonly table: string;
  /** Of the whole move. */
  readonly done: number;
  readonly total: number;
};

export type Moved = { readonly tables: number; readonly rows: number; readonly from: string; readonly to: string };

/** From the file to PostgreSQL. `probe` uses the copy as a server would, and leaves nothing. Throws StartError. */
export async function moveToPostgres(
  options: MoveOptions & { readonly probe: (db: Kysely<Tables>) => Promise<void> },
): Promise<Moved> {
  return await withSides(options, async (file, postgres) => {
    const tables = movedTables(file.reader);
    await refuseSource(file, postgres.place, tables);
    const known = await findMove(file.db);
    await refuseTarget(postgres, known?.id, tables);
    if (known?.state === "left") return { ...(await finish(file, postgres, known.id)), tables: tables.length };
    const id = known?.other === postgres.place ? known.id : randomUUID();
    await migrate(postgres.db, { clock: options.clock, target: postgresTarget });
    await refuseOtherSchema(file, postgres);
    return await inWindow(file, { id, other: postgres.place, orElse: "leaving", ...options }, async (check) => {
      await setState(postgres, { id, state: "arriving", other: file.place }, options.clock);
      const digests = await copyAll(file, postgres, tables, options, check);
      await copyNumbers(file, postgres, tables);
      await options.probe(postgres.db);
      await copyNumbers(file, postgres, tables);
      const rows = await compareAll(digests, postgres, options, check);
      // In this order: killed in between, neither takes writes, and the next call goes on here.
      await leave(file, id);
      await setState(postgres, { id, state: "arrived", other: file.place }, options.clock);
      return { tables: tables.length, rows, from: file.place, to: postgres.place };
    });
  });
}

/** Back to the file, with what was written on PostgreSQL since. Throws StartError. */
export async function moveBack(options: Omit<MoveOptions, "path">): Promise<Moved> {
  return await withWayBack(options.target, async (file, postgres) => {
    const tables = movedTables(file.reader);
    const { id, state } = await refuseWayBack(file, postgres);
    const copy = async (check: () => void): Promise<Moved> => {
      await file.db.updateTable("moves").set({ state: "arriving" }).where("id", "=", id).execute();
      const digests = await copyAll(postgres, file, tables, options, check);
      await copyNumbers(postgres, file, tables);
      const rows = await compareAll(digests, file, options, check);
      if (state !== "left") await leave(postgres, id);
      await openAgain(file);
      return { tables: tables.length, rows, from: postgres.place, to: file.place };
    };
    // Killed after PostgreSQL was left for good.
    if (state === "left") return await copy(() => undefined);
    return await inWindow(postgres, { id, other: file.place, orElse: "arrived", ...options }, copy);
  });
}

/** Gives the way back up: PostgreSQL is on its own from now on. The file stays as it is, and takes no writes. */
export async function commitMove({ target }: Pick<MoveOptions, "target">): Promise<{ readonly file: string }> {
  const postgres = await openPostgresSide(target);
  try {
    const tables = await postgres.tableNames();
    const move = tables.includes("moves") ? await findMove(postgres.db) : undefined;
    if (move?.state !== "arrived" && move?.state !== "leaving") {
      throw new StartError(`${postgres.place} is not the end of a promotion that waits for its commit: nothing to do.`);
    }
    await openAgain(postgres);
    return { file: move.other };
  } finally {
    await postgres.close();
  }
}

/** Lets a file that was left take writes again, without what was written on PostgreSQL since: when that one is lost. */
export async function abandonMove(path: string): Promise<{ readonly other: string }> {
  const file = await openSqliteSide(path);
  try {
    const move = await findMove(file.db);
    if (move === undefined) throw new StartError(`${path} was not moved: nothing to do.`);
    await openAgain(file);
    return { other: move.other };
  } finally {
    await file.close();
  }
}

async function withSides<R>(
  { path, target }: Pick<MoveOptions, "path" | "target">,
  use: (file: SqliteSide, postgres: MoveSide) => Promise<R>,
): Promise<R> {
  const file = await openSqliteSide(path);
  try {
    const postgres = await openPostgresSide(target);
    try {
      return await use(file, postgres);
    } finally {
      await postgres.close();
    }
  } finally {
    await file.close();
  }
}

async function withWayBack<R>(
  target: PostgresTarget,
  use: (file: SqliteSide, postgres: MoveSide) => Promise<R>,
): Promise<R> {
  const postgres = await openPostgresSide(target);
  try {
    const file = await openSqliteSide(await pathBack(postgres));
    try {
      return await use(file, postgres);
    } finally {
      await file.close();
    }
  } finally {
    await postgres.close();
  }
}

async function openAgain(side: MoveSide): Promise<void> {
  const tables = await side.tableNames();
  await inTransaction(side, async ({ db }) => {
    await db.deleteFrom("moves").execute();
    await unguardTables(db, tables);
  });
}

async function setState(
  side: MoveSide,
  { id, state, other }: { id: string; state: MoveState; other: string },
  clock: Pick<Clock, "now">,
): Promise<void> {
  await inTransaction(side, async ({ db }) => {
    await db.deleteFrom("moves").execute();
    const row = { id, state, other, started_at: clock.now(), read_only_until: 0 };
    await db.insertInto("moves").values(row).execute();
  });
}

/** Killed after the file was left for good: all was verified by then. */
async function finish(file: SqliteSide, postgres: MoveSide, id: string): Promise<Omit<Moved, "tables">> {
  const move = (await postgres.tableNames()).includes("moves") ? await findMove(postgres.db) : undefined;
  if (move?.id !== id) {
    throw new StartError(
      `The accounts of ${file.place} were moved to ${postgres.place}, and are not there any more: docs/operate/moving-to-postgresql.md tells how to go on with the file.`,
    );
  }
  await postgres.db.updateTable("moves").set({ state: "arrived" }).where("id", "=", id).execute();
  return { rows: 0, from: file.place, to: postgres.place };
}

type Digests = ReadonlyMap<MovedTable, TableDigest>;

async function copyAll(
  source: MoveSide,
  target: MoveSide,
  tables: readonly MovedTable[],
  { report }: Pick<MoveOptions, "report">,
  check: () => void,
): Promise<Digests> {
  let total = 0;
  for (const table of tables) total += await source.count(table);
  let done = 0;
  const digests = new Map<MovedTable, TableDigest>();
  for (const table of tables) {
    const passed = (rows: number): void => {
      check();
      done += rows;
      report({ doing: "copying", table: table.name, done: Math.min(done, total), total: 2 * total });
    };
    digests.set(table, await copyTable(source, target, table, passed));
  }
  return digests;
}

/** Row counts and checksums, table by table. Returns how many rows there are. */
async function compareAll(
  digests: Digests,
  target: MoveSide,
  { report }: Pick<MoveOptions, "report">,
  check: () => void,
): Promise<number> {
  const total = [...digests.values()].reduce((sum, { rows }) => sum + rows, 0);
  let done = 0;
  for (const [table, digest] of digests) {
    const found = await digestTable(target, table, (rows) => {
      check();
      done += rows;
      report({ doing: "comparing", table: table.name, done: total + done, total: 2 * total });
    });
    if (found.rows === digest.rows && found.sha256 === digest.sha256) continue;
    throw new StartError(
      `The copy of ${table.name} in ${target.place} is not the same (${found.rows} rows of ${digest.rows}): the promotion is called off, and nothing was changed where you came from.`,
    );
  }
  return total;
}

async function copyNumbers(source: MoveSide, target: MoveSide, tables: readonly MovedTable[]): Promise<void> {
  for (const table of tables) {
    if (table.numbered !== undefined) await target.setLastNumber(table, await source.lastNumber(table));
  }
}
