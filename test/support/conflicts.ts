import type { Kysely, Transaction } from "kysely";
import { DatabaseError } from "pg";
import { PostgresError } from "../../src/platform/database/postgres-faults.ts";
import type { Tables } from "../../src/platform/database/tables.ts";

/**
 * The same database, on which every other transaction meets another one and is undone: whatever the work of
 * `inTransaction` leaves behind elsewhere is then there twice, and a test sees it.
 */
export function withConflicts(db: Kysely<Tables>): Kysely<Tables> {
  let transactions = 0;
  const execute = async <R>(work: (tx: Transaction<Tables>) => Promise<R>): Promise<R> => {
    transactions += 1;
    if (transactions % 2 === 0) return await db.transaction().execute(work);
    return await db.transaction().execute(async (tx) => {
      await work(tx).catch(() => undefined);
      throw new PostgresError(Object.assign(new DatabaseError("made up by a test", 0, "error"), { code: "40001" }));
    });
  };
  return new Proxy(db, {
    get: (target, name) => {
      if (name === "transaction") return () => ({ execute });
      const value: unknown = Reflect.get(target, name);
      return typeof value === "function" ? (value.bind(target) as unknown) : value;
    },
  });
}
