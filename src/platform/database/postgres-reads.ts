import type { PoolClient } from "pg";
import { withPatience } from "../patience.ts";
import { breaksConnection, isStalePlan, isTimeout, silent, statementFault } from "./postgres-faults.ts";
import type { PostgresPool } from "./postgres-pool.ts";
import { askBatch, type BatchEnd, type Read } from "./postgres-read-batch.ts";
import { TurnRefused } from "./turns.ts";

/** A prepared query: `name` is that of `statementName`. */
export type Question = Pick<Read, "name" | "text" | "values">;

/** Asks one that only reads, outside of any transaction. */
export type AskRead = (question: Question) => Promise<readonly object[]>;

const batchMax = 64;
const waitingMax = 2_000;

/** How often the plans of a connection became stale: a part of the names of its prepared statements. */
const planEpochs = new WeakMap<PoolClient, number>();

/**
 * The reads that come in one round of the event loop, or while no connection is free, go to the server together, in one
 * turn of the pool: with many clients that is a fraction of the messages and of the waiting.
 */
export function createReads(pool: PostgresPool): AskRead {
  const waiting: Read[] = [];
  let isServing = false;

  async function serve(): Promise<void> {
    while (waiting.length > 0) {
      try {
        const client = await pool.take();
        void answer(client, waiting.splice(0, batchMax));
      } catch (error) {
        // Those who came while this turn was waited for would wait as long for the next one, and in vain.
        for (const { reject } of waiting.splice(0)) reject(error);
      }
    }
    isServing = false;
  }

  async function answer(client: PoolClient, reads: readonly Read[]): Promise<void> {
    const end = await askInTime(client, named(client, reads), pool.statementMilliseconds);
    if (end === "all answered") return pool.give(client, "well");
    const error = statementFault(end.error);
    const isBroken = breaksConnection(end.error);
    pool.give(client, isBroken ? "broken" : isTimeout(error) ? "silent" : "well");
    const unanswered = reads.slice(reads.length - end.unanswered.length);
    const isStale = !isBroken && forgetStalePlans(client, end.error);
    const failed = isBroken ? unanswered : isStale ? [] : unanswered.slice(0, 1);
    for (const { reject } of failed) reject(error);
    for (const read of unanswered.slice(failed.length).toReversed()) waiting.unshift(read);
    begin();
  }

  function begin(): void {
    if (isServing || waiting.length === 0) return;
    isServing = true;
    setImmediate(() => void serve());
  }

  return (question) =>
    new Promise((resolve, reject) => {
      if (waiting.length >= waitingMax) {
        reject(new TurnRefused(`${waiting.length} queries wait for the database already.`));
        return;
      }
      waiting.push({ ...question, resolve, reject });
      begin();
    });
}

/** One that is asked on a connection that somebody has, as in a transaction. Throws what pg throws. */
export async function askReadOn(client: PoolClient, question: Question): Promise<readonly object[]> {
  const { promise, resolve, reject } = Promise.withResolvers<readonly object[]>();
  promise.catch(() => undefined); // It is looked at when the server has said that it is done, which may be later.
  const end = await askBatch(client, named(client, [{ ...question, resolve, reject }]));
  if (end === "all answered") return promise;
  throw end.error;
}

async function askInTime(
  client: PoolClient,
  reads: readonly Read[],
  milliseconds: number | undefined,
): Promise<BatchEnd> {
  const asked = askBatch(client, reads);
  if (milliseconds === undefined) return await asked;
  // Who was answered already does not mind being told again.
  return await withPatience(milliseconds, asked, () => silent(milliseconds)).catch((error: unknown) => ({
    error,
    unanswered: reads,
  }));
}

function named(client: PoolClient, reads: readonly Read[]): readonly Read[] {
  return reads.map((read) => ({ ...read, name: nameOn(client, read.name) }));
}

/** The name of a prepared statement on this connection. */
export function nameOn(client: PoolClient, name: string): string {
  return `${name}_${planEpochs.get(client) ?? 0}`;
}

/** When a migration changed what a prepared statement returns, all of the connection are prepared anew: true. */
export function forgetStalePlans(client: PoolClient, error: unknown): boolean {
  if (!isStalePlan(error)) return false;
  planEpochs.set(client, (planEpochs.get(client) ?? 0) + 1);
  return true;
}
