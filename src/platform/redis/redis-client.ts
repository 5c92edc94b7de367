import { once } from "node:events";
import { Cluster, Redis as Single, type RedisOptions } from "ioredis";
import type { Config } from "../../config.ts";

export type RedisClient = Single | Cluster;

const connectMillisecondsMax = 1_000;
const reconnectMilliseconds = { first: 50, max: 1_000 };
/** Without a sign of life for so long the connection is given up: it may lead nowhere (a firewall, a dead machine). */
const silenceMillisecondsMax = 2_000;

/**
 * The client of ioredis, not connected yet. Its defaults queue, resend and wait for 12 seconds and more; this one fails
 * at once when it is not connected, never sends twice what may have been counted, and reconnects for ever, slowly.
 */
export function createRedisClient(address: NonNullable<Config["redis"]>): RedisClient {
  const options = connectionOptions(address);
  const [first, ...others] = address.nodes;
  if (first === undefined) throw new Error("A Redis address has a node.");
  if (others.length === 0) return new Single({ ...options, ...first, enableOfflineQueue: false, retryStrategy });
  const cluster = new Cluster([...address.nodes], {
    redisOptions: options,
    lazyConnect: true,
    enableOfflineQueue: false,
    clusterRetryStrategy: retryStrategy,
    slotsRefreshTimeout: connectMillisecondsMax,
    // Whoever asks has an answer of his own by then: a late one would be of no use.
    retryDelayOnFailover: 0,
    retryDelayOnClusterDown: 0,
    maxRedirections: 3,
    // A certificate is for a name: nodes are reached by the names that they are known by, not by their addresses.
    ...(address.tls ? { dnsLookup: (host, found) => found(null, host) } : {}),
  });
  // A node is connected by the first command for it, and refuses others meanwhile: so it is connected before. Not
  // while the Cluster itself is being connected, which asks a node that must not be connecting then.
  const connectNodes = (): void => {
    if (cluster.status === "ready") cluster.nodes("master").forEach((node) => void connectWaiting(node));
  };
  cluster.on("ready", connectNodes);
  cluster.on("+node", () => setImmediate(connectNodes));
  return cluster;
}

/** Connects, in a Cluster to all masters. Rejects when it cannot; it goes on trying in the background all the same. */
export async function connectRedis(client: RedisClient): Promise<void> {
  await client.connect();
  if (client instanceof Cluster) await Promise.all(client.nodes("master").map(connectWaiting));
}

async function connectWaiting(node: Single): Promise<void> {
  if (node.status === "wait") await node.connect().catch(() => undefined);
  else if (node.status !== "ready") await once(node, "ready").catch(() => undefined);
}

function connectionOptions({ username, password, databaseIndex, tls }: NonNullable<Config["redis"]>) {
  return {
    username,
    password,
    db: databaseIndex,
    tls: tls ? {} : undefined,
    connectionName: "tollgate",
    disableClientInfo: true,
    lazyConnect: true,
    connectTimeout: connectMillisecondsMax,
    socketTimeout: silenceMillisecondsMax,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
  } satisfies RedisOptions;
}

/** Twice as long each time, up to a second, and not all processes in step. */
function retryStrategy(attempts: number): number {
  const milliseconds = Math.min(
    reconnectMilliseconds.max,
    reconnectMilliseconds.first * 2 ** Math.min(attempts - 1, 10),
  );
  return milliseconds * (0.75 + Math.random() / 4);
}
