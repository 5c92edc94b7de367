import { existsSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { allMigrations } from "./migrate.ts";
import { sqliteStartError } from "./sqlite-file.ts";

export type SqliteInspection =
  | { readonly state: "missing" }
  | { readonly state: "unreadable"; readonly sentence: string }
  | {
      readonly state: "there";
      /** What `pragma quick_check` found; undefined when nothing. */
      readonly damage: string | undefined;
      /** Names of migrations that run at the next start. */
      readonly pending: readonly string[];
      /** Names of migrations that only a newer version knows. */
      readonly unknown: readonly string[];
      /** When the last event was recorded, in milliseconds since the epoch. */
      readonly newestEventAt: number | undefined;
    };

/** Looks at a database file without making or changing it, beside a running server or without one. */
export function inspectSqlite(path: string): SqliteInspection {
  if (!existsSync(path)) return { state: "missing" };
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(path, { readOnly: true, timeout: 5000 });
    return look(database);
  } catch (error) {
    const sentence = sqliteStartError(error, path)?.message;
    if (sentence === undefined) throw error;
    return { state: "unreadable", sentence };
  } finally {
    database?.close();
  }
}

function look(database: DatabaseSync): SqliteInspection {
  const check = String(database.prepare("pragma quick_check(1)").get()?.["quick_check"]);
  const known = allMigrations.map(({ name }) => name);
  const applied = hasTable(database, "migrations") ? namesOf(database) : [];
  const events = hasTable(database, "events") ? database.prepare("select max(at) as at from events").get() : undefined;
  return {
    state: "there",
    damage: check === "ok" ? undefined : check,
    pending: known.filter((name) => !applied.includes(name)),
    unknown: applied.filter((name) => !known.includes(name)),
    newestEventAt: typeof events?.["at"] === "number" ? events["at"] : undefined,
  };
}

function namesOf(database: DatabaseSync): string[] {
  return database
    .prepare("select name from migrations")
    .all()
    .map((row) => String(row["name"]));
}

function hasTable(database: DatabaseSync, name: string): boolean {
  return database.prepare("select 1 from sqlite_schema where type = 'table' and name = ?").get(name) !== undefined;
}
