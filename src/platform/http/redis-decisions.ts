import type { Logger } from "pino";
import { RedisAway } from "../redis/redis-faults.ts";
import { redisScript } from "../redis/redis-script.ts";
import type { Redis } from "../redis/redis.ts";
import { type Decision, type DecisionLog, isMeant, type NumberedDecision } from "./decisions.ts";

/** A sorted set of request ids by number, and beside it, in the same slot of a Cluster, a hash of what was decided. */
const key = "decisions:{decisions}";
const byId = `local byId = KEYS[1] .. ":by-id"`;

/** ARGV: how many are kept, then number, id and decision of each. Written twice they are there once. */
const recordScript = redisScript(
  "record-decisions",
  `${byId}
for index = 2, #ARGV, 3 do
  redis.call("ZADD", KEYS[1], ARGV[index], ARGV[index + 1])
  redis.call("HSET", byId, ARGV[index + 1], ARGV[index + 2])
end
local tooMany = redis.call("ZCARD", KEYS[1]) - tonumber(ARGV[1])
if tooMany > 0 then
  redis.call("HDEL", byId, unpack(redis.call("ZRANGE", KEYS[1], 0, math.min(tooMany, 1000) - 1)))
  redis.call("ZREMRANGEBYRANK", KEYS[1], 0, math.min(tooMany, 1000) - 1)
end
redis.call("EXPIRE", KEYS[1], 604800)
redis.call("EXPIRE", byId, 604800)`,
);
const findScript = redisScript("find-decision", `${byId}\nreturn redis.call("HGET", byId, ARGV[1])`);
/** ARGV: below and above which numbers, and how many. The newest first. */
const listScript = redisScript(
  "list-decisions",
  `${byId}
local ids = redis.call("ZREVRANGEBYSCORE", KEYS[1], "(" .. ARGV[1], "(" .. ARGV[2], "LIMIT", 0, ARGV[3])
if #ids == 0 then return {} end
return redis.call("HMGET", byId, unpack(ids))`,
);

const flushEveryMilliseconds = 100;
/** Who floods the server must not make it write as much to Redis: of more only the newest are shared. */
const flushedAtOnceMax = 200;
const pageLength = 200;

export type SharedDecisionLog = DecisionLog & {
  /** Writes what Redis does not have yet. */
  readonly flush: () => Promise<void>;
};

/**
 * The refusals of all processes, in Redis, and those of this one in its memory as well: for when Redis is away, and for
 * those who watch as they happen. What is refused is written a little later, several together, and nobody waits for it.
 */
export function createSharedDecisionLog(
  redis: Pick<Redis, "run">,
  local: DecisionLog,
  { decisionsMax, log }: { readonly decisionsMax: number; readonly log: Logger },
): SharedDecisionLog {
  let waiting: NumberedDecision[] = [];
  let timer: NodeJS.Timeout | undefined;
  const flush = async (): Promise<void> => {
    const written = waiting;
    if (written.length === 0) return;
    waiting = [];
    const entries = written.flatMap((decision) => [decision.number, decision.requestId, JSON.stringify(decision)]);
    try {
      await redis.run(recordScript, key, [decisionsMax, ...entries]);
    } catch (error) {
      waiting = [...written, ...waiting].slice(-flushedAtOnceMax);
      if (!(error instanceof RedisAway)) throw error;
    }
  };
  const flushLater = (): void => {
    timer ??= setTimeout(() => {
      timer = undefined;
      flush().catch((error: unknown) => log.warn({ err: error }, "decisions were not shared"));
    }, flushEveryMilliseconds).unref();
  };
  local.subscribe((decision) => {
    waiting.push(decision);
    if (waiting.length > flushedAtOnceMax) waiting.shift();
    flushLater();
  });
  return {
    flush,
    record: local.record,
    subscribe: local.subscribe,
    find: async (requestId) => (await local.find(requestId)) ?? findShared(redis, requestId),
    list: async (filter, range) => {
      await flush();
      try {
        return await listShared(redis, (decision) => isMeant(filter, decision), range);
      } catch (error) {
        if (error instanceof RedisAway) return local.list(filter, range);
        throw error;
      }
    },
  };
}

async function findShared(redis: Pick<Redis, "run">, requestId: string): Promise<NumberedDecision | undefined> {
  try {
    return readDecision(await redis.run(findScript, key, [requestId]));
  } catch (error) {
    if (error instanceof RedisAway) return undefined;
    throw error;
  }
}

async function listShared(
  redis: Pick<Redis, "run">,
  isWanted: (decision: Decision) => boolean,
  { after = 0, before = Number.POSITIVE_INFINITY, count }: Parameters<DecisionLog["list"]>[1],
): Promise<readonly NumberedDecision[]> {
  const listed: NumberedDecision[] = [];
  let below = before;
  for (;;) {
    const upTo = Number.isFinite(below) ? below : "+inf";
    const answer = (await redis.run(listScript, key, [upTo, after, pageLength])) as readonly unknown[];
    const page = answer.map(readDecision).filter((decision) => decision !== undefined);
    listed.push(...page.filter(isWanted));
    const last = page.at(-1);
    if (listed.length >= count || answer.length < pageLength || last === undefined) return listed.slice(0, count);
    below = last.number;
  }
}

function readDecision(text: unknown): NumberedDecision | undefined {
  return typeof text === "string" ? (JSON.parse(text) as NumberedDecision) : undefined;
}
