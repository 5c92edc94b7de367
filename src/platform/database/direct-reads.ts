import type { DialectAdapter } from "kysely";
import type { Awaitable } from "../awaitable.ts";

/**
 * Reads outside of transactions, past Kysely's executor, whose layers of promises cost several times what SQLite takes for
 * a row. `undefined` when it has to go the long way now, as while somebody's transaction has the one connection.
 */
export type DirectRead = (query: DirectQuery) => Awaitable<readonly unknown[]> | undefined;

export type DirectQuery = {
  readonly sql: string;
  readonly parameters: readonly unknown[];
  /** See remembered-rows.ts. */
  readonly isRemembered: boolean;
};

/** By a database's adapter: the one object that an instance of Kysely, its dialect and its wrappers have in common. */
const reads = new WeakMap<DialectAdapter, DirectRead>();

export function offerDirectRead(adapter: DialectAdapter, read: DirectRead): void {
  reads.set(adapter, read);
}

export function directReadOf(adapter: DialectAdapter): DirectRead | undefined {
  return reads.get(adapter);
}

/** For who wraps a dialect: the same adapter, its reads wrapped as well, or offered no longer. */
export function wrapDirectRead(
  adapter: DialectAdapter,
  wrap: (read: DirectRead) => DirectRead | undefined,
): DialectAdapter {
  const read = reads.get(adapter);
  const wrapped = read && wrap(read);
  if (wrapped) reads.set(adapter, wrapped);
  else reads.delete(adapter);
  return adapter;
}
