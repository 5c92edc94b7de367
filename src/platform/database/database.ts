import type { DatabaseSync } from "node:sqlite";
import { type Dialect, Kysely } from "kysely";
import type { Config } from "../../config.ts";
import type { Clock } from "../clock.ts";
import type { Measure } from "../telemetry/measure.ts";
import { unmeasured, waitsMeasuredBy, withMeasure } from "./measured-database.ts";
import { migrate, sqliteTarget } from "./migrate.ts";
import { refuseForsakenDatabase } from "./moves.ts";
import { withOutage, type Outage } from "./outage.ts";
import { openPostgres } from "./postgres-open.ts";
import { sqliteApartDialect } from "./sqlite-apart.ts";
import { sqliteDialect } from "./sqlite.ts";
import { openSqliteFile, openSqliteInMemory, sqliteStartError } from "./sqlite-file.ts";
import { openSqliteWriter } from "./sqlite-writer.ts";
import type { Tables } from "./tables.ts";

export type DatabaseOptions = {
  /** Switches it off for a while; development alone has one. */
  readonly outage?: Outage | undefined;
  /** Writes to a SQLite file in a thread of its own, so that its commits keep nobody waiting: for a server. */
  readonly isServing?: boolean;
  /** Times its statements. */
  readonly measure?: Measure | undefined;
  /** Hears of connections to PostgreSQL that broke while nobody used them. */
  readonly onConnectionLost?: (error: Error) => void;
};

/**
 * Opens the database, makes it if it is missing, and brings it to this version. `db.destroy()` closes it.
 *
 * Throws StartError, in a sentence for the person who starts the server, when the database cannot be written, is
 * damaged, is no database, is locked, is away, or belongs to a newer version or another program.
 */
export async function openDatabase(
  database: Config["database"],
  clock: Pick<Clock, "now">,
  { isServing = false, outage, measure, onConnectionLost = () => undefined }: DatabaseOptions = {},
): Promise<Kysely<Tables>> {
  const measureWait = measure && waitsMeasuredBy(measure);
  /** Those that take their connections as they need them time their waits themselves. */
  const dressed = (dialect: Dialect, wait = measureWait): Dialect => {
    const timed = measure ? withMeasure(dialect, measure, wait) : dialect;
    return outage ? withOutage(timed, outage) : timed;
  };
  switch (database.kind) {
    case "sqlite-memory":
      return await migrated(openSqliteInMemory(), clock, dressed);
    case "sqlite":
      try {
        const db = await migrated(await openSqliteFile(database.path), clock, dressed, database.path);
        if (!isServing) return db;
        await db.destroy();
        const dialect = sqliteApartDialect(
          await openSqliteFile(database.path),
          openSqliteWriter(database.path),
          measureWait,
        );
        return new Kysely<Tables>({ dialect: dressed(dialect, unmeasured) });
      } catch (error) {
        throw sqliteStartError(error, database.path) ?? error;
      }
    case "postgres": {
      const dialect = await openPostgres(database, clock, { onConnectionLost, measureWait });
      return new Kysely<Tables>({ dialect: dressed(dialect, unmeasured) });
    }
  }
}

/** Where the accounts are, for a person: without a password. */
export function placeOfDatabase(database: Config["database"]): string {
  switch (database.kind) {
    case "sqlite":
      return database.path;
    case "sqlite-memory":
      return "in memory: it ends with the process";
    case "postgres":
      return database.target.shown;
  }
}

async function migrated(
  sqlite: DatabaseSync,
  clock: Pick<Clock, "now">,
  dressed: (dialect: Dialect) => Dialect,
  place = "the database in memory",
): Promise<Kysely<Tables>> {
  const db = new Kysely<Tables>({ dialect: dressed(sqliteDialect(sqlite)) });
  try {
    await migrate(db, { clock, target: sqliteTarget });
    await refuseForsakenDatabase(db, place);
    return db;
  } catch (error) {
    await db.destroy();
    throw error;
  }
}
