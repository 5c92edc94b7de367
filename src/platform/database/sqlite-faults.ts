/** SQLite's primary result codes (https://www.sqlite.org/rescode.html); the extended ones add a second byte. */
export const sqliteCodes = {
  busy: 5,
  locked: 6,
  readOnly: 8,
  ioError: 10,
  corrupt: 11,
  full: 13,
  cannotOpen: 14,
  protocol: 15,
  notADatabase: 26,
} as const;

const unavailableCodes: ReadonlySet<number> = new Set(Object.values(sqliteCodes));
const constraintUnique = 2067;
const constraintPrimaryKey = 1555;

// Neither node:sqlite nor Kysely gives a code of its own for a database that was closed before the query.
const closedMessages: ReadonlySet<string> = new Set([
  "database is not open",
  "statement has been finalized",
  "driver has already been destroyed",
]);

/** SQLite's extended result code of an error thrown by node:sqlite; undefined for any other. */
function sqliteErrorCode(error: unknown): number | undefined {
  if (!(error instanceof Error) || !("code" in error) || error.code !== "ERR_SQLITE_ERROR") return undefined;
  return "errcode" in error && typeof error.errcode === "number" ? error.errcode : undefined;
}

/** SQLite's primary result code, one of {@link sqliteCodes} among others; undefined if it is no error of SQLite. */
export function sqlitePrimaryCode(error: unknown): number | undefined {
  const code = sqliteErrorCode(error);
  return code === undefined ? undefined : code & 0xff;
}

export function isSqliteUniqueViolation(error: unknown, column: string | undefined): boolean {
  const code = sqliteErrorCode(error);
  if (code !== constraintUnique && code !== constraintPrimaryKey) return false;
  if (column === undefined) return true;
  // "UNIQUE constraint failed: accounts.email_canonical, accounts.id": SQLite names the columns only here.
  const [, columns = ""] = (error as Error).message.split("constraint failed: ");
  return columns.split(", ").includes(column);
}

export function isSqliteUnavailable(error: unknown): boolean {
  const code = sqlitePrimaryCode(error);
  if (code !== undefined) return unavailableCodes.has(code);
  return error instanceof Error && closedMessages.has(error.message);
}

/** What the triggers of read-only-window.ts say: SQLite has no code of our own for it. */
export const sqliteReadOnlyMessage = "tollgate: the database takes no writes";
