import { sql, type Kysely } from "kysely";
import { StartError } from "../start-error.ts";
import type { DatabaseInspection } from "./inspect-database.ts";
import { compareMigrations, postgresTarget } from "./migrate.ts";
import { type PostgresDatabase, refuseUnfitServer, withPatientConnection } from "./postgres-open.ts";
import type { Tables } from "./tables.ts";

/** As {@link inspectDatabase} says. */
export async function inspectPostgres(database: PostgresDatabase): Promise<DatabaseInspection> {
  try {
    return await withPatientConnection(database.target, (db) => look(db, database));
  } catch (error) {
    if (error instanceof StartError) return { state: "unreadable", sentence: error.message };
    throw error;
  }
}

async function look(db: Kysely<Tables>, database: PostgresDatabase): Promise<DatabaseInspection> {
  await refuseUnfitServer(db);
  const tables = await postgresTarget.tableNames(db);
  if (!tables.includes("migrations")) return { state: "empty" };
  const rows = await db.selectFrom("migrations").select("name").execute();
  const applied = rows.map(({ name }) => name);
  const newest = tables.includes("events")
    ? await db.selectFrom("events").select("at").orderBy("at", "desc").limit(1).executeTakeFirst()
    : undefined;
  return {
    state: "there",
    damage: undefined,
    applied,
    ...compareMigrations(applied),
    newestEventAt: newest?.at,
    warnings: await warningsAbout(db, database),
  };
}

async function warningsAbout(
  db: Kysely<Tables>,
  { target, bounds }: PostgresDatabase,
): Promise<{ found: string; cure: string }[]> {
  const { rows } = await sql<{ fsync: string; pages: string; connections: string }>`
    select current_setting('fsync') as fsync, current_setting('full_page_writes') as pages,
           current_setting('max_connections') as connections`.execute(db);
  const warnings = [];
  if (rows[0]?.fsync === "off" || rows[0]?.pages === "off") {
    const found = "the server does not wait for its disk: a power cut loses or damages what was acknowledged.";
    warnings.push({ found, cure: "Set fsync and full_page_writes of PostgreSQL to on." });
  }
  if (bounds.connectionsMax >= Number(rows[0]?.connections)) {
    const found = `DATABASE_POOL is ${bounds.connectionsMax}, and the server takes ${rows[0]?.connections} connections in all.`;
    warnings.push({ found, cure: "Make DATABASE_POOL smaller: it counts for each process." });
  }
  if (target.tls === "require") {
    const found = "the way to it is encrypted, but nobody checks who is at its end.";
    warnings.push({ found, cure: "Use sslmode=verify-full, with sslrootcert if the authority is your own." });
  }
  return warnings;
}
