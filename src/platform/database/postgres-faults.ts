import { DatabaseError } from "pg";

/** SQLSTATE codes (https://www.postgresql.org/docs/current/errcodes-appendix.html) that something is decided by. */
export const postgresCodes = {
  uniqueViolation: "23505",
  serializationFailure: "40001",
  deadlock: "40P01",
  /** Also an unusable plan, see {@link isStalePlan}. */
  featureNotSupported: "0A000",
  readOnlyTransaction: "25006",
  idleInTransactionTimeout: "25P03",
  lockNotAvailable: "55P03",
  characterNotInRepertoire: "22021",
  invalidAuthorization: "28000",
  invalidPassword: "28P01",
  invalidCatalogName: "3D000",
  invalidSchemaName: "3F000",
  insufficientPrivilege: "42501",
  undefinedColumn: "42703",
  queryCanceled: "57014",
  startingUp: "57P03",
  tooManyConnections: "53300",
} as const;

/**
 * What the server said about a statement. Made from pg's error without `detail` and `where`: there the server quotes
 * the row, password hash included, and errors are logged.
 */
export class PostgresError extends Error {
  override readonly name = "PostgresError";
  /** SQLSTATE. */
  readonly code: string;
  readonly routine: string | undefined;
  readonly table: string | undefined;
  /** Of a violated key. */
  readonly columns: readonly string[];

  constructor(error: DatabaseError) {
    super(error.message);
    this.code = error.code ?? "";
    this.routine = error.routine;
    this.table = error.table;
    // "Key (email_canonical)=(a@b.c) already exists.": the server names the columns only here, in any language.
    this.columns = /\(([^()]*)\)=\(/.exec(error.detail ?? "")?.[1]?.split(", ") ?? [];
  }
}

/** No answer: the server is away, too slow or too busy, or the pool is. To a client this is a 503. */
export class PostgresUnreachable extends Error {
  override readonly name = "PostgresUnreachable";
}

export function silent(milliseconds: number): PostgresUnreachable {
  return new PostgresUnreachable(`PostgreSQL did not answer within ${milliseconds} ms`);
}

/** Whatever pg threw while a statement was under way. */
export function statementFault(error: unknown): unknown {
  if (error instanceof DatabaseError) return new PostgresError(error);
  // A value that cannot be sent is a bug of ours.
  if (error instanceof TypeError || error instanceof RangeError) return error;
  return unreachable(error);
}

/** Whatever pg threw while a connection was made: also a refusal by the server is one that is not there. */
export function unreachable(error: unknown): PostgresUnreachable {
  if (error instanceof PostgresUnreachable) return error;
  const cause = error instanceof DatabaseError ? new PostgresError(error) : error;
  const because = error instanceof Error ? error.message || codeOf(error) : String(error);
  return new PostgresUnreachable(`PostgreSQL cannot be reached: ${because}`, { cause });
}

function codeOf(error: Error): string {
  return "code" in error && typeof error.code === "string" ? error.code : error.name;
}

/** Whether the connection is of no use after this: it may be gone, in the middle of an answer, or at the wrong server. */
export function breaksConnection(error: unknown): boolean {
  if (!(error instanceof DatabaseError)) return true;
  return error.severity !== "ERROR" || error.code === postgresCodes.readOnlyTransaction;
}

/** A statement was prepared before a migration, of a newer version perhaps, changed what it returns. */
export function isStalePlan(error: unknown): boolean {
  return (
    (error instanceof DatabaseError || error instanceof PostgresError) &&
    error.code === postgresCodes.featureNotSupported &&
    error.routine === "RevalidateCachedQuery"
  );
}

/** Whether the server gave a statement up by itself: it took too long, or waited too long for a lock. */
export function isTimeout(error: unknown): boolean {
  if (!(error instanceof PostgresError)) return false;
  return error.code === postgresCodes.queryCanceled || error.code === postgresCodes.lockNotAvailable;
}

/** Connection, resources, operator (a statement that took too long included), system, conflicts that would not end. */
const unavailableClasses: ReadonlySet<string> = new Set(["08", "40", "53", "57", "58"]);
const unavailableCodes: ReadonlySet<string> = new Set([
  postgresCodes.readOnlyTransaction,
  postgresCodes.idleInTransactionTimeout,
  postgresCodes.lockNotAvailable,
  "XX001", // data_corrupted
  "XX002", // index_corrupted
]);

export function isPostgresUnavailable(error: PostgresError): boolean {
  return unavailableClasses.has(error.code.slice(0, 2)) || unavailableCodes.has(error.code);
}
