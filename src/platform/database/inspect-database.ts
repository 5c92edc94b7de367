import type { Config } from "../../config.ts";
import { inspectPostgres } from "./inspect-postgres.ts";
import { inspectSqlite } from "./inspect-sqlite.ts";

export type DatabaseInspection =
  /** No such file. */
  | { readonly state: "missing" }
  /** A database without tables of ours. */
  | { readonly state: "empty" }
  | { readonly state: "unreadable"; readonly sentence: string }
  | {
      readonly state: "there";
      /** What the database's own check found; undefined when nothing. */
      readonly damage: string | undefined;
      /** Names of migrations that have run. */
      readonly applied: readonly string[];
      /** Names of migrations that run at the next start. */
      readonly pending: readonly string[];
      /** Names of migrations that only a newer version knows. */
      readonly unknown: readonly string[];
      /** When the last event was recorded, in milliseconds since the epoch. */
      readonly newestEventAt: number | undefined;
      /** What works and had better be otherwise, the gravest first. */
      readonly warnings: readonly { readonly found: string; readonly cure: string }[];
    };

/** Looks at the database without making or changing it, beside a running server or without one. undefined: in memory. */
export async function inspectDatabase(database: Config["database"]): Promise<DatabaseInspection | undefined> {
  switch (database.kind) {
    case "sqlite":
      return inspectSqlite(database.path);
    case "sqlite-memory":
      return undefined;
    case "postgres":
      return await inspectPostgres(database);
  }
}

/** Whether a server has made its tables there. Throws nothing: what is wrong is said by who opens it. */
export async function isDatabaseMade(database: Config["database"]): Promise<boolean> {
  const inspection = await inspectDatabase(database);
  return inspection !== undefined && inspection.state !== "missing" && inspection.state !== "empty";
}
