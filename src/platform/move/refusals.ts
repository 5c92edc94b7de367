import { existsSync } from "node:fs";
import { compareMigrations } from "../database/migrate.ts";
import { findMove, type Move } from "../database/moves.ts";
import { refuseUnfitServer } from "../database/postgres-open.ts";
import { timeOf } from "../database/read-only-window.ts";
import { StartError } from "../start-error.ts";
import type { MoveSide } from "./move-side.ts";
import { leftOut, type MovedTable } from "./moved-tables.ts";
import type { SqliteSide } from "./sqlite-side.ts";

/** Throws StartError for a file that cannot be moved now. Changes nothing. */
export async function refuseSource(file: SqliteSide, target: string, tables: readonly MovedTable[]): Promise<void> {
  const { pending, unknown } = compareMigrations(await migrationsOf(file));
  if (pending.length + unknown.length > 0) {
    throw new StartError(
      `${file.place} is of another version of Tollgate: start the server of this one once, and stop the others.`,
    );
  }
  const move = await findMove(file.db);
  if (move?.state === "arriving") {
    throw new StartError(`The way back to ${file.place} is half done: run "tollgate promote --back" to its end first.`);
  }
  if (move !== undefined && move.other !== target) {
    if (move.state === "left")
      throw new StartError(`The accounts of ${file.place} were moved to ${move.other} already.`);
    if (move.read_only_until > (await timeOf(file.db))) {
      throw new StartError(
        `${file.place} is being moved to ${move.other}: wait for that promotion. If it was killed, try again in half a minute.`,
      );
    }
  }
  refuseUnstorable(file, tables);
}

/** SQLite keeps the character NUL in a text, PostgreSQL does not. */
function refuseUnstorable({ reader, place }: SqliteSide, tables: readonly MovedTable[]): void {
  for (const { name, columns } of tables) {
    for (const { name: column } of columns.filter(({ type }) => type === "text")) {
      const found = reader.prepare(`select count(*) as n from "${name}" where instr("${column}", char(0)) > 0`).get();
      if (Number(found?.["n"]) === 0) continue;
      throw new StartError(
        `${String(found?.["n"])} rows of ${name} in ${place} have a NUL character in ${column}, which PostgreSQL does not keep: change or delete them.`,
      );
    }
  }
}

/**
 * Throws StartError for a target that is not empty. Empty: no tables, or Tollgate's without a row, or what an earlier
 * call of this very promotion left half done.
 */
export async function refuseTarget(
  postgres: MoveSide,
  moveId: string | undefined,
  tables: readonly MovedTable[],
): Promise<void> {
  await refuseUnfitServer(postgres.db);
  const present = await postgres.tableNames();
  if (present.length === 0) return;
  const known = new Set([...tables.map(({ name }) => name), ...leftOut.keys()]);
  const foreign = present.find((name) => !known.has(name));
  if (foreign !== undefined || !present.includes("migrations")) {
    throw new StartError(
      `${postgres.place} has a table ${foreign ?? present[0]} that is not of this version of Tollgate: promote to an empty database.`,
    );
  }
  const { unknown } = compareMigrations(await migrationsOf(postgres));
  if (unknown.length > 0) {
    throw new StartError(`${postgres.place} was made by a newer version of Tollgate: promote to an empty database.`);
  }
  const move = present.includes("moves") ? await findMove(postgres.db) : undefined;
  if (move?.state === "arriving" && move.id === moveId) return;
  if (move?.state === "arrived" && move.id === moveId) {
    throw new StartError(`The accounts are in ${postgres.place} already: set DATABASE_URL to it.`);
  }
  for (const table of tables.filter(({ name }) => present.includes(name))) {
    if ((await postgres.count(table)) === 0 && move === undefined) continue;
    throw new StartError(
      move === undefined
        ? `${postgres.place} is not empty: there are rows in ${table.name}. Promote to an empty database.`
        : `${postgres.place} belongs to another promotion (${move.other}, ${move.state}): promote to an empty database.`,
    );
  }
}

/** Throws StartError unless both have run the same migrations. */
export async function refuseOtherSchema(one: MoveSide, other: MoveSide): Promise<void> {
  const [first, second] = [await migrationsOf(one), await migrationsOf(other)];
  if (first.length === second.length && first.every((name) => second.includes(name))) return;
  throw new StartError(
    `${one.place} and ${other.place} are of different versions of Tollgate (${first.at(-1)}, ${second.at(-1)}): their tables do not fit.`,
  );
}

/** The file that this database was filled from. Throws StartError when there is none, or it is not here. */
export async function pathBack(postgres: MoveSide): Promise<string> {
  const { other } = await moveOf(postgres);
  if (existsSync(other)) return other;
  throw new StartError(
    `The file ${other} is not here: run this on the machine that ${postgres.place} was filled from.`,
  );
}

async function moveOf(postgres: MoveSide): Promise<Move> {
  const move = (await postgres.tableNames()).includes("moves") ? await findMove(postgres.db) : undefined;
  if (move !== undefined && move.state !== "arriving") return move;
  throw new StartError(`${postgres.place} is not the end of a promotion, or it was committed: there is no way back.`);
}

/** The move that can be taken back. Throws StartError when there is none. Changes nothing. */
export async function refuseWayBack(file: SqliteSide, postgres: MoveSide): Promise<Move> {
  const move = await moveOf(postgres);
  const left = await findMove(file.db);
  if (left?.id !== move.id || (left.state !== "left" && left.state !== "arriving")) {
    throw new StartError(
      `${file.place} is not the file that ${postgres.place} was filled from: there is no way back to it.`,
    );
  }
  await refuseOtherSchema(postgres, file);
  return move;
}

async function migrationsOf({ db }: MoveSide): Promise<string[]> {
  const rows = await db.selectFrom("migrations").select("name").orderBy("name").execute();
  return rows.map(({ name }) => name);
}
