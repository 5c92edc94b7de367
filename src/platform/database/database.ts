import type { DatabaseSync } from "node:sqlite";
import { Kysely } from "kysely";
import type { Config } from "../../config.ts";
import type { Clock } from "../clock.ts";
import { migrate, sqliteWords } from "./migrate.ts";
import { withOutage, type Outage } from "./outage.ts";
import { sqliteDialect } from "./sqlite.ts";
import { openSqliteFile, openSqliteInMemory, sqliteStartError } from "./sqlite-file.ts";
import type { Tables } from "./tables.ts";

/**
 * Opens the database, makes it if it is missing, and brings it to this version. `db.destroy()` closes it.
 *
 * Throws StartError, in a sentence for the person who starts the server, when the file cannot be written, is
 * damaged, is no database, is locked, or belongs to a newer version or another program.
 *
 * @param outage switches it off for a while; development alone has one.
 */
export async function openDatabase(
  database: Config["database"],
  clock: Pick<Clock, "now">,
  outage?: Outage,
): Promise<Kysely<Tables>> {
  if (database.kind === "sqlite-memory") return await migrated(openSqliteInMemory(), clock, outage);
  try {
    return await migrated(await openSqliteFile(database.path), clock, outage);
  } catch (error) {
    throw sqliteStartError(error, database.path) ?? error;
  }
}

async function migrated(
  sqlite: DatabaseSync,
  clock: Pick<Clock, "now">,
  outage: Outage | undefined,
): Promise<Kysely<Tables>> {
  const dialect = sqliteDialect(sqlite);
  const db = new Kysely<Tables>({ dialect: outage ? withOutage(dialect, outage) : dialect });
  try {
    await migrate(db, { clock, words: sqliteWords });
    return db;
  } catch (error) {
    await db.destroy();
    throw error;
  }
}
