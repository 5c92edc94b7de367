import { closeSync, mkdirSync, openSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { DatabaseSync } from "node:sqlite";
import { syncDirectory } from "../data-directory.ts";
import { StartError } from "../start-error.ts";
import { sqliteCodes, sqlitePrimaryCode } from "./sqlite-faults.ts";

const busyTimeoutMilliseconds = 5_000;
const walBytesKept = 64 * 1024 * 1024;
const openPauseMilliseconds = 50;

// WAL lets other processes read while one writes. FULL: an acknowledged commit outlives a power cut; with
// NORMAL it may not. Functions and virtual tables named in a tampered schema are not trusted.
const settings = `
  pragma busy_timeout = ${busyTimeoutMilliseconds};
  pragma synchronous = full;
  pragma foreign_keys = on;
  pragma trusted_schema = off;
  pragma journal_size_limit = ${walBytesKept};
`;

/** A database that lives as long as the process does. */
export function openSqliteInMemory(): DatabaseSync {
  const database = new DatabaseSync(":memory:", { defensive: true });
  database.exec(settings);
  return database;
}

/**
 * Opens the database file, made with its directory when missing (0600 and 0700, on the disk before this returns).
 * Throws what node:fs or SQLite throws: {@link sqliteStartError} turns it into a sentence.
 */
export async function openSqliteFile(
  path: string,
  lockWaitMilliseconds = busyTimeoutMilliseconds,
): Promise<DatabaseSync> {
  createFile(path);
  const database = new DatabaseSync(path, { timeout: 0, defensive: true });
  try {
    await switchToWal(database, path, Math.ceil(lockWaitMilliseconds / openPauseMilliseconds));
    database.exec(settings);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

// Of two processes that open a new file together, one is told "busy" at once: SQLite does not wait here, so we do.
async function switchToWal(database: DatabaseSync, path: string, attemptsMax: number): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      const mode = database.prepare("pragma journal_mode = wal").get()?.["journal_mode"];
      if (mode === "wal") return;
      throw new StartError(`The file system of ${path} does not support SQLite's WAL mode; put it on a local disk.`);
    } catch (error) {
      if (sqlitePrimaryCode(error) !== sqliteCodes.busy || attempt >= attemptsMax) throw error;
      await sleep(openPauseMilliseconds);
    }
  }
}

function createFile(path: string): void {
  const directory = dirname(resolve(path));
  const firstMade = mkdirSync(directory, { recursive: true, mode: 0o700 });
  let file: number;
  try {
    file = openSync(path, "wx", 0o600);
  } catch (error) {
    if (isFileError(error) && error.code === "EEXIST") return;
    throw error;
  }
  closeSync(file);
  // The name of a new file is on the disk only after its directory is; so for each directory made for it.
  const last = firstMade === undefined ? directory : dirname(firstMade);
  for (let current = directory; ; current = dirname(current)) {
    syncDirectory(current);
    if (current === last) return;
  }
}

function isFileError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && "syscall" in error && "code" in error;
}

const allowWriting = "Let this user write the file and its directory, or set DATABASE_URL to another place.";

/** The sentence for a database that cannot be opened or migrated; undefined for an error that is a bug of ours. */
export function sqliteStartError(error: unknown, path: string): StartError | undefined {
  const text = isFileError(error) ? fileSentence(error, path) : databaseSentence(error, path);
  return text === undefined ? undefined : new StartError(text, { cause: error });
}

function fileSentence(error: NodeJS.ErrnoException, path: string): string {
  return `The database ${path} cannot be made (${error.code}). ${allowWriting}`;
}

function databaseSentence(error: unknown, path: string): string | undefined {
  const because = error instanceof Error ? error.message : "";
  switch (sqlitePrimaryCode(error)) {
    case undefined:
      return undefined;
    case sqliteCodes.notADatabase:
      return `${path} is not an SQLite database. Move it away, or set DATABASE_URL to another file; nothing was changed.`;
    case sqliteCodes.corrupt:
      return `The database ${path} is damaged (${because}). Restore a backup of it; nothing was changed.`;
    case sqliteCodes.cannotOpen:
    case sqliteCodes.readOnly:
      return `The database ${path} cannot be written (${because}). ${allowWriting}`;
    case sqliteCodes.busy:
    case sqliteCodes.locked:
      return `Another program keeps the database ${path} locked. Stop it, then start again.`;
    case sqliteCodes.full:
      return `The disk of the database ${path} is full. Make room, then start again.`;
    default:
      return `The database ${path} failed (${because}).`;
  }
}
