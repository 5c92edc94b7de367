import { setTimeout as wait } from "node:timers/promises";
import type { Platform } from "../platform.ts";
import { isTransactionConflict } from "./database-faults.ts";
import { createTurns, type Turns } from "./turns.ts";

const attemptsMax = 20;
const pauseMillisecondsMax = 50;
const retriesMax = 1_000;
const retryWaitMilliseconds = 5_000;

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
  try {
    return await attempt(platform, work);
  } catch (error) {
    if (!isTransactionConflict(error)) throw error;
    return await tryAgain(platform, work);
  }
}

async function attempt<P extends Pick<Platform, "db">, R>(platform: P, work: (tx: P) => Promise<R>): Promise<R> {
  return await platform.db.transaction().execute((db) => work({ ...platform, db }));
}

// Those who met others try again one after the other, so that they do not meet each other again and again: with ten
// connections and one row that all want, half of the work was lost on that, and one in a hundred never came through.
async function tryAgain<P extends Pick<Platform, "db">, R>(platform: P, work: (tx: P) => Promise<R>): Promise<R> {
  const turns = retryTurns(platform.db.getExecutor().adapter);
  await turns.take();
  try {
    for (let attempts = 2; ; attempts += 1) {
      try {
        return await attempt(platform, work);
      } catch (error) {
        // Of those in conflict one went through, so there is progress; at random times they meet less often.
        if (!isTransactionConflict(error) || attempts >= attemptsMax) throw error;
        await wait(Math.random() * Math.min(pauseMillisecondsMax, 2 ** attempts));
      }
    }
  } finally {
    turns.give();
  }
}

/** One queue for each database: its adapter is the one object that an instance and its transactions have in common. */
const queues = new WeakMap<object, Turns>();

function retryTurns(adapter: object): Turns {
  const known = queues.get(adapter);
  if (known !== undefined) return known;
  const turns = createTurns({ atOnce: 1, waitingMax: retriesMax, waitMillisecondsMax: retryWaitMilliseconds });
  queues.set(adapter, turns);
  return turns;
}
