import { setTimeout as wait } from "node:timers/promises";
import type { Platform } from "../platform.ts";
import { isTransactionConflict } from "./database-faults.ts";

const attemptsMax = 20;
const pauseMillisecondsMax = 50;

/**
 * Runs the work in one transaction: all of it is kept, or nothing. Inside, `tx.db` *is* the transaction.
 *
 * Throwing undoes everything; to keep what was written and refuse nevertheless, return an outcome and throw
 * after. Nothing slow happens inside (no hash, no mail, no fetch): all other queries wait.
 *
 * The work may be done again from its beginning: in PostgreSQL a transaction that met another one half-way is undone,
 * and tried anew. So it leaves no trace but in `tx.db`: what it counts, sends or remembers elsewhere comes after.
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
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await platform.db.transaction().execute((db) => work({ ...platform, db }));
    } catch (error) {
      // Of those in conflict one went through, so the others make progress; at random times they meet less often.
      if (!isTransactionConflict(error) || attempt === attemptsMax) throw error;
      await wait(Math.random() * Math.min(pauseMillisecondsMax, 2 ** attempt));
    }
  }
}
