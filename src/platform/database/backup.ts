import { chmodSync, closeSync, existsSync, fsyncSync, linkSync, openSync, rmSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { backup, DatabaseSync } from "node:sqlite";
import { syncDirectory } from "../data-directory.ts";
import { StartError } from "../start-error.ts";
import { sqliteStartError } from "./sqlite-file.ts";

/** How far it is, in pages of the database. */
export type PagesDone = (done: number, total: number) => void;

const pagesPerStep = 1_000;

/**
 * Copies a database file as it is at one moment, beside servers that write on: all that was acknowledged before this was
 * called is in the copy. It appears under its name when it is whole and on the disk, for this user alone, and never
 * takes the place of another file. Throws StartError.
 */
export async function backupSqlite(path: string, copy: string, report: PagesDone): Promise<void> {
  if (existsSync(copy)) throw new StartError(`${copy} is there already: nothing is overwritten, choose another name.`);
  const draft = `${copy}.${process.pid}.part`;
  try {
    closeSync(openSync(draft, "wx", 0o600));
    await copyPages(path, draft, report);
    refuseDamage(draft);
    syncFile(draft);
    // A link fails where a rename would replace what somebody put there meanwhile.
    linkSync(draft, copy);
    rmSync(draft);
    syncDirectory(dirname(resolve(copy)));
  } catch (error) {
    throw backupFault(error, path, copy) ?? error;
  } finally {
    for (const end of ["", "-wal", "-shm", "-journal"]) rmSync(draft + end, { force: true });
  }
}

/** The copy is of one moment: SQLite starts a copy anew whenever somebody writes, unless it reads as of one moment. */
export async function copyPages(path: string, copy: string, report: PagesDone): Promise<void> {
  const source = new DatabaseSync(path, { readOnly: true, timeout: 5_000 });
  try {
    source.exec("begin");
    source.prepare("select count(*) from sqlite_schema").get();
    await backup(source, copy, {
      rate: pagesPerStep,
      progress: ({ totalPages, remainingPages }) => report(totalPages - remainingPages, totalPages),
    });
    source.exec("commit");
  } finally {
    source.close();
  }
  chmodSync(copy, 0o600);
}

function refuseDamage(path: string): void {
  const copy = new DatabaseSync(path);
  try {
    // No write-ahead log: the copy is one file, also where nothing else can be written.
    copy.exec("pragma journal_mode = delete");
    const found = String(copy.prepare("pragma quick_check(1)").get()?.["quick_check"]);
    if (found !== "ok")
      throw new StartError(`The database is damaged (${found}), so there is no backup of it: restore an earlier one.`);
  } finally {
    copy.close();
  }
}

export function syncFile(path: string): void {
  const file = openSync(path, "r+");
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

function backupFault(error: unknown, path: string, copy: string): StartError | undefined {
  if (error instanceof StartError || !(error instanceof Error)) return undefined;
  if (!("syscall" in error && "code" in error)) return sqliteStartError(error, path);
  if (error.code === "EEXIST")
    return new StartError(`${copy} is there already: nothing is overwritten, choose another name.`, { cause: error });
  return new StartError(
    `The backup ${copy} cannot be written (${String(error.code)}): choose a place that this user may write to, with enough room.`,
    { cause: error },
  );
}
