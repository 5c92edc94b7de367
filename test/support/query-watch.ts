import type { CompiledQuery, Kysely } from "kysely";
import type { Tables } from "../../src/platform/database/tables.ts";
import { isOnPostgres } from "./test-database.ts";

/** A database that tells what is asked of it, and how much it answers. */
export type WatchedDatabase = {
  readonly db: Kysely<Tables>;
  /** How many rows it has given since this was asked last. */
  readonly takeRowsRead: () => number;
  /** The lines of the plans of all that was asked so far, each with its statement; what was asked twice, once. */
  readonly plans: () => Promise<readonly { readonly detail: string; readonly sql: string }[]>;
  /** Forgets what was asked so far. */
  readonly forget: () => void;
};

export function watchQueries(database: Kysely<Tables>): WatchedDatabase {
  const statements = new Map<string, CompiledQuery>();
  let rowsRead = 0;
  const db = database.withPlugin({
    transformQuery: ({ node, queryId }) => {
      const query = database.getExecutor().compileQuery(node, queryId);
      statements.set(query.sql, query);
      return node;
    },
    transformResult: async ({ result }) => {
      rowsRead += result.rows.length;
      return result;
    },
  });
  return {
    db,
    takeRowsRead: () => {
      const taken = rowsRead;
      rowsRead = 0;
      return taken;
    },
    plans: async () => {
      const details: { detail: string; sql: string }[] = [];
      for (const query of statements.values()) {
        const explain = { ...query, sql: `explain ${isOnPostgres ? "" : "query plan"} ${query.sql}` };
        const { rows } = await database.executeQuery<Record<string, unknown>>(explain);
        const lines = rows.map((row) => String(isOnPostgres ? row["QUERY PLAN"] : row["detail"]));
        details.push(...lines.map((detail) => ({ detail: detail.trim(), sql: query.sql })));
      }
      return details;
    },
    forget: () => statements.clear(),
  };
}
