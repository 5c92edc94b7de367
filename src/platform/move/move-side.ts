import type { Kysely } from "kysely";
import type { Tables } from "../database/tables.ts";
import type { MovedTable } from "./moved-tables.ts";

/** Numbers, text, bytes and null: the same on either side. */
export type Value = number | string | Uint8Array | null;
export type Row = Readonly<Record<string, Value>>;

/** One of the two databases of a move. */
export type MoveSide = {
  /** Where it is, for a person: without a password. */
  readonly place: string;
  readonly db: Kysely<Tables>;
  readonly tableNames: () => Promise<readonly string[]>;
  readonly count: (table: MovedTable) => Promise<number>;
  /** All rows in the order of their keys, as they are at one moment, some at a time. */
  readonly read: (table: MovedTable) => AsyncIterable<readonly Row[], undefined>;
  /** In a transaction: all or none. */
  readonly insert: (table: MovedTable, rows: readonly Row[]) => Promise<void>;
  readonly remove: (table: MovedTable, rows: readonly Row[]) => Promise<void>;
  /** The last number that was given in a numbered table; never given again, though its row is gone. */
  readonly lastNumber: (table: MovedTable) => Promise<number>;
  readonly setLastNumber: (table: MovedTable, number: number) => Promise<void>;
  readonly close: () => Promise<void>;
};

export const rowsPerStep = 2_000;

export function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("hex");
}
