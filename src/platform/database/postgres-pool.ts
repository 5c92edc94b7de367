import { readFileSync } from "node:fs";
import type { ConnectionOptions } from "node:tls";
import { Pool, type ClientBase, type PoolClient } from "pg";
import type { PostgresBounds } from "../../config.ts";
import type { PostgresTarget } from "../../database-url.ts";
import { withPatience } from "../patience.ts";
import { StartError } from "../start-error.ts";
import { type MeasureWait, unmeasured } from "./measured-database.ts";
import { PostgresUnreachable, unreachable } from "./postgres-faults.ts";
import { postgresTypes } from "./postgres-types.ts";
import { createTurns, type Turns } from "./turns.ts";

/** Connections to PostgreSQL, with an end to everything: pg's own defaults wait for ever. */
export type PostgresPool = {
  /** Rejects with `PostgresUnreachable` or `TurnRefused` when none was free or could be made in time. */
  readonly take: () => Promise<PoolClient>;
  /** `broken` is of no use any more; `silent` did not answer in time. */
  readonly give: (client: PoolClient, state: "well" | "silent" | "broken") => void;
  readonly close: () => Promise<void>;
  /** How long a statement may take; undefined is as long as it takes. */
  readonly statementMilliseconds: number | undefined;
};

const waitingMaxPerConnection = 200;
/** pg gives up a new connection only after so many times longer than we do: until then its place is taken. */
const connectWaits = 3;
/** A burst may wait so many times longer than a database that does not answer is waited for. */
const burstWaits = 5;
const idleMilliseconds = 30_000;
/** So that a server moved behind its name is found without a restart. */
const lifetimeSeconds = 30 * 60;
const keepAliveMilliseconds = 10_000;
/** A process that hangs in a transaction holds its locks no longer. */
const idleInTransactionMilliseconds = 10_000;

export type PoolWatching = {
  /** Hears of idle connections that broke; those in use fail their statement. */
  readonly onConnectionLost?: (error: Error) => void;
  readonly measureWait?: MeasureWait | undefined;
};

/** `statementMilliseconds` of the bounds may be undefined: then a statement takes as long as it takes, as migrations do. */
export function createPostgresPool(
  target: PostgresTarget,
  bounds: Omit<PostgresBounds, "statementMilliseconds"> & { readonly statementMilliseconds: number | undefined },
  { onConnectionLost = () => undefined, measureWait = unmeasured }: PoolWatching = {},
): PostgresPool {
  const { host, port, database, user, password = "" } = target;
  const { connectionsMax, waitMilliseconds, statementMilliseconds } = bounds;
  const connectMilliseconds = connectWaits * waitMilliseconds;
  const turns = createTurns({
    atOnce: connectionsMax,
    waitingMax: waitingMaxPerConnection * connectionsMax,
    waitMillisecondsMax: burstWaits * waitMilliseconds,
    stallMillisecondsMax: waitMilliseconds,
  });
  const pool = new Pool({
    host,
    port,
    database,
    user,
    // A function, or pg would look for a password in the environment and in files.
    password: () => password,
    ssl: tlsOptions(target),
    max: connectionsMax,
    connectionTimeoutMillis: connectMilliseconds,
    idleTimeoutMillis: idleMilliseconds,
    maxLifetimeSeconds: lifetimeSeconds,
    keepAlive: true,
    keepAliveInitialDelayMillis: keepAliveMilliseconds,
    application_name: "tollgate",
    types: postgresTypes,
    // oxlint-disable-next-line typescript/no-misused-promises -- pg waits for the promise; its types have not heard of it.
    onConnect: (client) => withPatience(connectMilliseconds, setUpSession(client, statementMilliseconds), noSession),
  });
  // pg hangs its whole client on the error: only the cause of ours knows it, and nobody prints that.
  pool.on("error", (error) => onConnectionLost(unreachable(error)));
  // A connection that breaks while it is in use also says so here, where nobody listening would end the process.
  pool.on("connect", (client) => client.on("error", () => undefined));
  return {
    take: () =>
      measureWait(async () => {
        await turns.take();
        return await connectInTime(pool, waitMilliseconds, turns);
      }),
    give: (client, state) => {
      client.release(state === "broken");
      turns.give(state === "well" ? "well" : "badly");
    },
    close: () => pool.end(),
    statementMilliseconds,
  };
}

/** Has a turn, and keeps it until pg is done with the connection, whether or not the caller still waits. */
async function connectInTime(pool: Pool, waitMilliseconds: number, turns: Turns): Promise<PoolClient> {
  let isLate = false;
  const connecting = connect(pool, turns, () => isLate);
  return await withPatience(waitMilliseconds, connecting, () => {
    isLate = true;
    return new PostgresUnreachable(`PostgreSQL made no connection within ${waitMilliseconds} ms`);
  });
}

async function connect(pool: Pool, turns: Turns, isLate: () => boolean): Promise<PoolClient> {
  try {
    const client = await pool.connect();
    if (!isLate()) return client;
    client.release();
  } catch (error) {
    turns.give("badly");
    throw unreachable(error);
  }
  turns.give("well");
  throw new PostgresUnreachable("PostgreSQL made a connection too late");
}

/**
 * Sent as a statement, not in the startup message, which some poolers refuse. The server gives up a little before we
 * do: a statement that it ended leaves the connection whole. What a database's owner may have set otherwise is put
 * right: an acknowledged commit is on the disk, and a single statement sees what is committed when it begins.
 */
async function setUpSession(client: ClientBase, statementMilliseconds: number | undefined): Promise<void> {
  const serverMilliseconds = statementMilliseconds === undefined ? 0 : Math.ceil(statementMilliseconds * 0.9);
  await client.query(
    `select set_config('statement_timeout', $1, false),
            set_config('idle_in_transaction_session_timeout', $2, false),
            set_config('default_transaction_isolation', 'read committed', false),
            set_config('default_transaction_read_only', 'off', false),
            set_config('standard_conforming_strings', 'on', false),
            set_config('synchronous_commit', replace(current_setting('synchronous_commit'), 'off', 'on'), false)`,
    [String(serverMilliseconds), String(idleInTransactionMilliseconds)],
  );
}

function noSession(): Error {
  return new PostgresUnreachable("PostgreSQL made a connection and then fell silent");
}

/** TLS as sslmode says; see {@link PostgresTarget}. */
function tlsOptions({ tls, rootCertificatePath }: PostgresTarget): ConnectionOptions | false {
  if (tls === "disable") return false;
  if (tls === "require") return { rejectUnauthorized: false };
  const ca = rootCertificatePath === undefined ? {} : { ca: readCertificate(rootCertificatePath) };
  return tls === "verify-ca" ? { ...ca, checkServerIdentity: () => undefined } : ca;
}

function readCertificate(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    throw new StartError(`The certificate ${path} that sslrootcert of DATABASE_URL names cannot be read.`, { cause });
  }
}
