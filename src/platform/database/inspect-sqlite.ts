import { existsSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import type { DatabaseInspection } from "./inspect-database.ts";
import { compareMigrations } from "./migrate.ts";
import { sqliteStartError } from "./sqlite-file.ts";

/** Looks at a database file without making or changing it, beside a running server or without one. */
export function inspectSqlite(path: string): DatabaseInspection {
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

function look(database: DatabaseSync): DatabaseInspection {
  const check = String(database.prepare("pragma quick_check(1)").get()?.["quick_check"]);
  const applied = hasTable(database, "migrations") ? namesOf(database) : [];
  const events = hasTable(database, "events") ? database.prepare("select max(at) as at from events").get() : undefined;
  return {
    state: "there",
    damage: check === "ok" ? undefined : check,
    applied,
    ...compareMigrations(applied),
    newestEventAt: typeof events?.["at"] === "number" ? events["at"] : undefined,
    warnings: warningsAbout(database),
  };
}

function warningsAbout(database: DatabaseSync): { found: string; cure: string }[] {
  if (!hasTable(database, "moves")) return [];
  const move = database.prepare("select state, other from moves").get();
  if (move?.["state"] !== "left") return [];
  return [{ found: `the accounts were moved to ${String(move["other"])}.`, cure: "Set DATABASE_URL to that." }];
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
