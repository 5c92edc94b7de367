import type { Platform } from "../platform.ts";

/**
 * Runs the work in one transaction: all of it is kept, or nothing. Inside, `tx.db` *is* the transaction.
 *
 * Throwing undoes everything; to keep what was written and refuse nevertheless, return an outcome and throw
 * after. Nothing slow happens inside (no hash, no mail, no fetch): all other queries wait.
 *
 * Transactions do not nest. If an inner one joined, a caller that catches its error would commit half of it;
 * so a function that can be part of something larger takes `tx` and leaves the transaction to its caller.
 */
export async function inTransaction<P extends Pick<Platform, "db">, R>(
  platform: P,
  work: (tx: P) => Promise<R>,
): Promise<R> {
  if (platform.db.isTransaction) {
    throw new Error("inTransaction was called inside a transaction: pass tx on, and open it once, in the caller.");
  }
  return await platform.db.transaction().execute((db) => work({ ...platform, db }));
}
