import { type Dialect, Kysely, sql } from "kysely";
import type { Config } from "../../config.ts";
import type { PostgresTarget } from "../../database-url.ts";
import type { Clock } from "../clock.ts";
import { StartError } from "../start-error.ts";
import { migrate, postgresTarget } from "./migrate.ts";
import { refuseForsakenDatabase } from "./moves.ts";
import { postgresDialect } from "./postgres.ts";
import { postgresCodes, PostgresError, PostgresUnreachable } from "./postgres-faults.ts";
import { createPostgresPool, type PoolWatching } from "./postgres-pool.ts";
import type { Tables } from "./tables.ts";

export type PostgresDatabase = Extract<Config["database"], { kind: "postgres" }>;

const versionMin = 15;
const startWaitMilliseconds = 5_000;

/**
 * Looks at the server, brings the database to this version over a connection that may take its time, and then opens
 * the pool. Throws StartError, in a sentence for the person who starts the server.
 */
export async function openPostgres(
  { target, bounds }: PostgresDatabase,
  clock: Pick<Clock, "now">,
  watching: PoolWatching,
): Promise<Dialect> {
  await withPatientConnection(target, async (db) => {
    await refuseUnfitServer(db);
    await migrate(db, { clock, target: postgresTarget });
    await refuseForsakenDatabase(db, target.shown);
  });
  return postgresDialect(createPostgresPool(target, bounds, watching));
}

/** One connection whose statements have no end in time: for looking at a server, and for migrations. */
export async function withPatientConnection<R>(
  target: PostgresTarget,
  use: (db: Kysely<Tables>) => Promise<R>,
): Promise<R> {
  const bounds = { connectionsMax: 1, waitMilliseconds: startWaitMilliseconds, statementMilliseconds: undefined };
  const db = new Kysely<Tables>({ dialect: postgresDialect(createPostgresPool(target, bounds)) });
  try {
    const result = await use(db);
    await db.destroy();
    return result;
  } catch (error) {
    // Not waited for: a server that does not answer would keep us here.
    void db.destroy().catch(() => undefined);
    throw postgresStartError(error, target) ?? error;
  }
}

/** Throws StartError for a server that Tollgate cannot use. */
export async function refuseUnfitServer(db: Kysely<Tables>): Promise<void> {
  const { rows } = await sql<{ version: string; number: string; encoding: string; is_standby: 0 | 1 }>`
    select version() as version, current_setting('server_version_num') as number,
           current_setting('server_encoding') as encoding, pg_is_in_recovery() as is_standby`.execute(db);
  const [server] = rows;
  if (server === undefined) return;
  // Wire-compatible engines count their versions in their own way.
  if (server.version.startsWith("PostgreSQL ") && Math.floor(Number(server.number) / 10_000) < versionMin) {
    throw new StartError(
      `The server is ${server.version.split(" ", 2).join(" ")}: Tollgate needs PostgreSQL ${versionMin} or later.`,
    );
  }
  if (server.encoding !== "UTF8") {
    throw new StartError(
      `The database has the encoding ${server.encoding}, which cannot hold every name: make one with "create database … encoding 'UTF8' template template0".`,
    );
  }
  if (server.is_standby === 1) {
    throw new StartError("The server is a standby, which takes no writes: let DATABASE_URL name the primary.");
  }
}

/** The sentence for a server that cannot be reached or used; undefined for an error that is a bug of ours. */
export function postgresStartError(error: unknown, { shown, database, user }: PostgresTarget): StartError | undefined {
  if (error instanceof PostgresUnreachable) return new StartError(unreachableSentence(error, shown), { cause: error });
  if (!(error instanceof PostgresError)) return undefined;
  const text = startSentence(error, { shown, database, user });
  return text === undefined ? undefined : new StartError(text, { cause: error });
}

function startSentence(
  { code, message }: PostgresError,
  { shown, database, user }: Pick<PostgresTarget, "shown" | "database" | "user">,
): string | undefined {
  switch (code) {
    case postgresCodes.insufficientPrivilege:
    case postgresCodes.invalidSchemaName:
      return `The user ${user} may not make tables in ${shown} (${message}): run "alter database ${database} owner to ${user}" as its owner, or "grant create on schema public to ${user}" in it.`;
    case postgresCodes.lockNotAvailable:
      return `Another process migrates ${shown}, or holds its tables, for more than a minute. Wait for it or stop it, then start again.`;
    case postgresCodes.undefinedColumn:
      return `The database ${shown} belongs to another program: its table migrations is not Tollgate's. Set DATABASE_URL to a database of Tollgate's own; nothing was changed.`;
    case postgresCodes.readOnlyTransaction:
      return `The database ${shown} takes no writes (${message}): let DATABASE_URL name the primary.`;
    default:
      return undefined;
  }
}

function unreachableSentence(error: PostgresUnreachable, shown: string): string {
  const { cause } = error;
  const refusal = cause instanceof PostgresError ? cause : undefined;
  switch (refusal?.code) {
    case postgresCodes.invalidPassword:
      return `PostgreSQL refuses the user or the password of DATABASE_URL (${shown}): correct it.`;
    case postgresCodes.invalidCatalogName:
      return `There is no database ${shown}: make it with "createdb", or set DATABASE_URL to one that is there.`;
    case postgresCodes.invalidAuthorization:
      return `PostgreSQL does not let us in at ${shown} (${refusal.message}): see its pg_hba.conf; it may want sslmode=verify-full.`;
    case postgresCodes.startingUp:
      return `PostgreSQL at ${shown} is starting or stopping: start again in a moment.`;
    case postgresCodes.tooManyConnections:
      return `PostgreSQL at ${shown} has no connection left: raise its max_connections, or make DATABASE_POOL smaller.`;
    default:
      if (/client password must be/.test(error.message)) {
        return `PostgreSQL wants a password and DATABASE_URL has none (${shown}): write postgres://user:password@….`;
      }
      return `${error.message} at ${shown}. Start it, or correct DATABASE_URL.`;
  }
}
