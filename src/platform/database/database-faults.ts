import { DatabaseSwitchedOff } from "./outage.ts";
import {
  isPostgresUnavailable,
  isStalePlan,
  postgresCodes,
  PostgresError,
  PostgresUnreachable,
} from "./postgres-faults.ts";
import { isSqliteUnavailable, isSqliteUniqueViolation } from "./sqlite-faults.ts";
import type { Tables } from "./tables.ts";
import { TurnRefused } from "./turns.ts";

type Column = { [T in keyof Tables]: `${T}.${keyof Tables[T] & string}` }[keyof Tables];

/** Whether the write failed because such a row is there already; with a column, because of that one. */
export function isUniqueViolation(error: unknown, column?: Column): boolean {
  if (!(error instanceof PostgresError)) return isSqliteUniqueViolation(error, column);
  if (error.code !== postgresCodes.uniqueViolation) return false;
  return column === undefined || error.columns.some((name) => `${error.table}.${name}` === column);
}

/** Whether the database itself failed (full, locked, damaged, away), so that no query can be answered: 503. */
export function isDatabaseUnavailable(error: unknown): boolean {
  if (error instanceof TurnRefused || error instanceof DatabaseSwitchedOff) return true;
  if (error instanceof PostgresUnreachable) return true;
  return error instanceof PostgresError ? isPostgresUnavailable(error) : isSqliteUnavailable(error);
}

/**
 * Whether the transaction met another one half-way, was undone, and can be done again from its beginning.
 * SQLite never says so: its transactions come one after the other.
 */
export function isTransactionConflict(error: unknown): boolean {
  if (!(error instanceof PostgresError)) return false;
  const { serializationFailure, deadlock } = postgresCodes;
  return error.code === serializationFailure || error.code === deadlock || isStalePlan(error);
}

/** Whether a text has a character that the database does not keep: PostgreSQL has no NUL. */
export function isUnstorableText(error: unknown): boolean {
  return error instanceof PostgresError && error.code === postgresCodes.characterNotInRepertoire;
}
