import type { Config } from "../config.ts";
import type { RedisInspection } from "../platform/redis/inspect-redis.ts";
import { type Check, failed } from "./check.ts";

const name = "redis";
/** A decision waits for Redis 30 ms at most; a good part of that should be left. */
const roundTripMillisecondsMax = 15;

export async function checkRedis({ redis }: Pick<Config, "redis">): Promise<Check> {
  if (redis === undefined) {
    return { name, state: "ok", found: "None is set: limits and decisions are in the memory of each process." };
  }
  const { inspectRedis } = await import("../platform/redis/inspect-redis.ts");
  const place = redis.nodes.map(({ host, port }) => `${host}:${port}`).join(", ");
  return judge(place, await inspectRedis(redis), redis.nodes.length > 1);
}

function judge(place: string, inspection: RedisInspection, isCluster: boolean): Check {
  if (inspection.state === "away") {
    return failed(name, `${place} is away (${inspection.reason}).`, cureFor(inspection.reason, isCluster));
  }
  const { server, isLoneNode, eviction, roundTripMilliseconds } = inspection;
  if (isLoneNode) {
    const cure = "Name several of its nodes in REDIS_URL, comma separated.";
    return failed(name, `${place} is a node of a Cluster, and REDIS_URL names it alone.`, cure);
  }
  const found = `${place} is ${server}, ${roundTripMilliseconds.toFixed(1)} ms from here.`;
  if (eviction !== "noeviction") {
    const risk = `${found} When it is full it throws keys out (${eviction}), and with them what was counted.`;
    return { name, state: "warning", found: risk, cure: "Set its maxmemory-policy to noeviction." };
  }
  if (roundTripMilliseconds > roundTripMillisecondsMax) {
    const slow = `${found} A decision waits for it 30 ms at most, and is made without it then.`;
    return { name, state: "warning", found: slow, cure: "Put it nearer, or find out what keeps it busy." };
  }
  return { name, state: "ok", found };
}

const cures: Readonly<Record<string, string>> = {
  ECONNREFUSED: "Start Redis, or set REDIS_URL to where it listens.",
  ENOTFOUND: "There is no such host: correct REDIS_URL.",
  EAI_AGAIN: "The host's name cannot be looked up: correct REDIS_URL, or mend the name service.",
  NOAUTH: "It wants a password: write REDIS_URL=redis://user:password@host:port.",
  WRONGPASS: "Correct the user and password in REDIS_URL; write % @ : / , in them as %25 %40 %3A %2F %2C.",
  NOPERM: "Allow this user the commands and keys that docs/operate/redis.md names.",
  OOM: "It is full: give it more memory (maxmemory).",
  READONLY: "It is a replica: name the master in REDIS_URL.",
  MISCONF: "It cannot write to its disk and refuses to count: make room, or switch its snapshots off.",
  CLUSTERDOWN: 'Not every slot of the Cluster is served: see "redis-cli --cluster check".',
};

function cureFor(reason: string, isCluster: boolean): string {
  const cure = cures[reason];
  if (cure !== undefined) return cure;
  if (/CERT|TLS|SSL/.test(reason)) {
    return "Name the host that its certificate is for, and the authority that signed it in NODE_EXTRA_CA_CERTS.";
  }
  if (isCluster && reason === "ERR") return "These are no nodes of a Cluster: name one Redis alone in REDIS_URL.";
  return 'See whether "redis-cli -u" with REDIS_URL is answered from this machine: redis:// is plain, rediss:// is TLS.';
}
