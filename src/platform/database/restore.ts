import { existsSync, linkSync, renameSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { syncDirectory } from "../data-directory.ts";
import { StartError } from "../start-error.ts";
import { copyPages, type PagesDone, syncFile } from "./backup.ts";
import { inspectSqlite } from "./inspect-sqlite.ts";
import { sqliteCodes, sqlitePrimaryCode } from "./sqlite-faults.ts";
import { sqliteStartError } from "./sqlite-file.ts";

/** A backup on its way to become the database: a copy of it beside that, in which things are put right first. */
export type Restoration = {
  readonly draft: string;
  /** Puts it in the place of the database, which is kept under the name that is returned; `undefined`: there was none. */
  readonly complete: (now: number) => string | undefined;
  /** Takes the copy away, if it is there still. */
  readonly discard: () => void;
};

/** Checks a backup and copies it. The database is not touched. Throws StartError. */
export async function beginRestore(backup: string, path: string, report: PagesDone): Promise<Restoration> {
  refuseUnfitBackup(backup);
  keepAlone(path, "look").release();
  const draft = `${path}.${process.pid}.restoring`;
  const discard = (): void => {
    for (const end of ["", "-wal", "-shm", "-journal"]) rmSync(draft + end, { force: true });
  };
  try {
    await copyPages(backup, draft, report);
    openMoved(draft);
  } catch (error) {
    discard();
    throw error instanceof StartError ? error : (sqliteStartError(error, backup) ?? error);
  }
  return { draft, discard, complete: (now) => replace(path, draft, now) };
}

function refuseUnfitBackup(backup: string): void {
  const found = inspectSqlite(backup);
  if (found?.state === "unreadable") throw new StartError(found.sentence);
  if (found?.state !== "there") throw new StartError(`There is no file ${backup}.`);
  if (found.damage !== undefined) {
    throw new StartError(`The backup ${backup} is damaged (${found.damage}): use another one; nothing was changed.`);
  }
  if (!found.applied.includes("0001-foundation")) {
    throw new StartError(`${backup} is no database of Tollgate; nothing was changed.`);
  }
  if (found.unknown.length > 0) {
    throw new StartError(
      `The backup ${backup} is of a newer version of Tollgate (${found.unknown.join(", ")}): restore it with that one; nothing was changed.`,
    );
  }
}

/** All of the copy, its indexes and references included; and a move that it knows of is none of its own. */
function openMoved(draft: string): void {
  const copy = new DatabaseSync(draft);
  try {
    const found = String(copy.prepare("pragma integrity_check(1)").get()?.["integrity_check"]);
    const orphan = copy.prepare("pragma foreign_key_check").get();
    if (found !== "ok" || orphan !== undefined) {
      const what = found === "ok" ? `a row of ${String(orphan?.["table"])} belongs to none` : found;
      throw new StartError(`The backup is damaged (${what}): use another one; nothing was changed.`);
    }
    const guards = copy.prepare(
      "select name from sqlite_schema where type = 'trigger' and name like 'tollgate_read_only_%'",
    );
    for (const { name } of guards.all()) copy.exec(`drop trigger "${String(name)}"`);
    if (copy.prepare("select 1 from sqlite_schema where name = 'moves'").get()) copy.exec("delete from moves");
  } finally {
    copy.close();
  }
}

function replace(path: string, draft: string, now: number): string | undefined {
  syncFile(draft);
  const lock = keepAlone(path, "replace");
  try {
    const former = existsSync(path) ? formerName(path, now) : undefined;
    if (former !== undefined) {
      // What a damaged file left in them must not be read into the one that takes its name.
      for (const end of ["-wal", "-shm"]) if (existsSync(path + end)) renameSync(path + end, former + end);
      linkSync(path, former);
    }
    renameSync(draft, path);
    syncDirectory(dirname(path));
    return former;
  } finally {
    lock.release();
  }
}

function formerName(path: string, now: number): string {
  return `${path}.before-${new Date(now).toISOString().slice(0, 19).replaceAll(/[-:]/g, "")}`;
}

/**
 * Keeps everybody else out of the database file. Throws StartError when somebody has it open. A file that SQLite cannot
 * read is in nobody's use. To be replaced it goes without a write-ahead log: SQLite deletes that by its name when the file
 * is closed, and by then the name is that of another file.
 */
function keepAlone(path: string, to: "look" | "replace"): { readonly release: () => void } {
  if (!existsSync(path)) return { release: () => undefined };
  const database = new DatabaseSync(path, { timeout: 0 });
  try {
    database.exec("pragma locking_mode = exclusive");
    if (to === "replace") database.exec("pragma journal_mode = delete");
    database.exec("begin exclusive");
  } catch (error) {
    database.close();
    const code = sqlitePrimaryCode(error);
    if (code === sqliteCodes.corrupt || code === sqliteCodes.notADatabase) return { release: () => undefined };
    if (code !== sqliteCodes.busy && code !== sqliteCodes.locked) throw sqliteStartError(error, path) ?? error;
    throw new StartError(`A server or another program has ${path} open: stop it, then restore.`, { cause: error });
  }
  return { release: () => database.close() };
}
