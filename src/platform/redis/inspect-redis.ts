import { Cluster } from "ioredis";
import type { Config } from "../../config.ts";
import { withPatience } from "../patience.ts";
import { connectRedis, createRedisClient, type RedisClient } from "./redis-client.ts";
import { RedisLate, reasonOf } from "./redis-faults.ts";

export type RedisInspection =
  | { readonly state: "away"; readonly reason: string }
  | {
      readonly state: "there";
      readonly server: string;
      /** One node of a Cluster, but it is not used as one. */
      readonly isLoneNode: boolean;
      /** What Redis throws out when it is full; "noeviction" is nothing. */
      readonly eviction: string;
      readonly roundTripMilliseconds: number;
    };

const inspectMillisecondsMax = 2_000;

/** How Redis looks from here; leaves nothing behind but a key of a second's life. Takes two seconds at most. */
export async function inspectRedis(address: NonNullable<Config["redis"]>): Promise<RedisInspection> {
  const client = createRedisClient(address);
  let connectionFault: string | undefined;
  client.on("error", (error: unknown) => (connectionFault = reasonOf(error) ?? connectionFault));
  client.on("node error", (error: unknown) => (connectionFault = reasonOf(error) ?? connectionFault));
  try {
    return await withPatience(inspectMillisecondsMax, inspect(client), () => new RedisLate());
  } catch (error) {
    return { state: "away", reason: connectionFault ?? reasonOf(error) ?? "not connected" };
  } finally {
    client.disconnect();
  }
}

async function inspect(client: RedisClient): Promise<RedisInspection> {
  await connectRedis(client);
  const info = await client.info();
  const isLoneNode = factOf(info, "redis_mode") === "cluster" && !(client instanceof Cluster);
  const server = factOf(info, "valkey_version")
    ? `Valkey ${factOf(info, "valkey_version")}`
    : `Redis ${factOf(info, "redis_version") ?? "of unknown version"}`;
  const isBounded = (factOf(info, "maxmemory") ?? "0") !== "0";
  const eviction = isBounded ? (factOf(info, "maxmemory_policy") ?? "noeviction") : "noeviction";
  // A lone node would send most keys elsewhere; that is told already.
  const roundTripMilliseconds = isLoneNode ? 0 : await measure(client);
  return { state: "there", server, isLoneNode, eviction, roundTripMilliseconds };
}

/** The shortest of a few, so that a busy moment here is not taken for a slow Redis. */
async function measure(client: RedisClient): Promise<number> {
  let shortest = Number.POSITIVE_INFINITY;
  for (let count = 0; count < 5; count += 1) {
    const startedAt = performance.now();
    await client.set("tollgate:doctor", "1", "PX", 1000);
    shortest = Math.min(shortest, performance.now() - startedAt);
  }
  return shortest;
}

function factOf(info: string, name: string): string | undefined {
  return new RegExp(`^${name}:(\\S+)`, "m").exec(info)?.[1];
}
