import type { Logger } from "pino";
import { RedisAway } from "../redis/redis-faults.ts";
import { redisScript } from "../redis/redis-script.ts";
import type { Redis } from "../redis/redis.ts";
import { type Decision, type DecisionLog, type DecisionRange, isMeant, type NumberedDecision } from "./decisions.ts";
import { createFollower } from "./redis-decision-follower.ts";

/** A sorted set of request ids by number, and beside it, in the same slot of a Cluster, a hash of what was decided. */
const key = "decisions:{decisions}";
const byId = `local byId = KEYS[1] .. ":by-id"`;

/**
 * ARGV: how many are kept, then id and decision of each. Numbered as they arrive, by Redis's clock, so that whoever has
 * read up to a number has missed nothing: none comes later with a smaller one. Written twice they are there once.
 */
const recordScript = redisScript(
  "record-decisions",
  `${byId}
local newest = redis.call("ZREVRANGE", KEYS[1], 0, 0, "WITHSCORES")[2]
local time = redis.call("TIME")
local number = math.max(tonumber(newest or 0) + 1, time[1] * 1000000 + time[2])
for index = 2, #ARGV, 2 do
  if redis.call("HSETNX", byId, ARGV[index], ARGV[index + 1]) == 1 then
    redis.call("ZADD", KEYS[1], string.format("%.0f", number), ARGV[index])
    number = number + 1
  end
end
local tooMany = redis.call("ZCARD", KEYS[1]) - tonumber(ARGV[1])
if tooMany > 0 then
  redis.call("HDEL", byId, unpack(redis.call("ZRANGE", KEYS[1], 0, math.min(tooMany, 1000) - 1)))
  redis.call("ZREMRANGEBYRANK", KEYS[1], 0, math.min(tooMany, 1000) - 1)
end
redis.call("EXPIRE", KEYS[1], 604800)
redis.call("EXPIRE", byId, 604800)`,
);
const findScript = redisScript(
  "find-decision",
  `${byId}\nreturn { redis.call("HGET", byId, ARGV[1]), redis.call("ZSCORE", KEYS[1], ARGV[1]) }`,
);
/** ARGV: below and above which numbers, and how many. The newest first: of each the decision, then its number. */
const listScript = redisScript(
  "list-decisions",
  `${byId}
local found = {}
for index, value in ipairs(redis.call("ZREVRANGEBYSCORE", KEYS[1], "(" .. ARGV[1], "(" .. ARGV[2],
  "WITHSCORES", "LIMIT", 0, ARGV[3])) do
  found[index] = index % 2 == 1 and redis.call("HGET", byId, value) or value
end
return found`,
);

const flushEveryMilliseconds = 100;
/** When Redis did not take them: those who follow at another process wait for them. */
const flushAgainMilliseconds = 1_000;
/** Who floods the server must not make it write as much to Redis: of more only the newest are shared. */
const flushedAtOnceMax = 200;
const pageLength = 200;

export type SharedDecisionLog = DecisionLog & {
  /** Writes what Redis does not have yet. */
  readonly flush: () => Promise<void>;
};

/**
 * The refusals of all processes, in Redis, and those of this one in its memory as well: for when Redis is away. What is
 * refused is written a little later, several together, and nobody waits for it.
 */
export function createSharedDecisionLog(
  redis: Pick<Redis, "run">,
  local: DecisionLog,
  { decisionsMax, log }: { readonly decisionsMax: number; readonly log: Logger },
): SharedDecisionLog {
  let waiting: Decision[] = [];
  let timer: NodeJS.Timeout | undefined;
  const flush = async (): Promise<void> => {
    const written = waiting;
    if (written.length === 0) return;
    waiting = [];
    const entries = written.flatMap((decision) => [decision.requestId, JSON.stringify(decision)]);
    try {
      await redis.run(recordScript, key, [decisionsMax, ...entries]);
    } catch (error) {
      waiting = [...written, ...waiting].slice(-flushedAtOnceMax);
      flushLater(flushAgainMilliseconds);
      if (!(error instanceof RedisAway)) throw error;
    }
  };
  function flushLater(milliseconds: number): void {
    timer ??= setTimeout(() => {
      timer = undefined;
      flush().catch((error: unknown) => log.warn({ err: error }, "decisions were not shared"));
    }, milliseconds).unref();
  }
  const listAll: DecisionLog["list"] = (filter, range) =>
    listShared(redis, (decision) => isMeant(filter, decision), range);
  return {
    flush,
    record: (decision) => {
      local.record(decision);
      waiting.push(decision);
      if (waiting.length > flushedAtOnceMax) waiting.shift();
      flushLater(flushEveryMilliseconds);
    },
    subscribe: createFollower({ flush, shared: listAll, local: local.list, log }),
    find: async (requestId) => {
      await flush();
      return (await unlessAway(findShared(redis, requestId))) ?? local.find(requestId);
    },
    list: async (filter, range) => {
      await flush();
      return (await unlessAway(listAll(filter, range))) ?? local.list(filter, range);
    },
  };
}

/** `undefined` when Redis is away; any other error is one. */
async function unlessAway<T>(asked: Promise<T>): Promise<T | undefined> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof RedisAway) return undefined;
    throw error;
  }
}

async function findShared(redis: Pick<Redis, "run">, requestId: string): Promise<NumberedDecision | undefined> {
  const answer = (await redis.run(findScript, key, [requestId])) as readonly unknown[];
  return readDecisions(answer)[0];
}

async function listShared(
  redis: Pick<Redis, "run">,
  isWanted: (decision: Decision) => boolean,
  { after = 0, before = Number.POSITIVE_INFINITY, count }: DecisionRange,
): Promise<readonly NumberedDecision[]> {
  const listed: NumberedDecision[] = [];
  let below = before;
  for (;;) {
    const upTo = Number.isFinite(below) ? below : "+inf";
    const answer = (await redis.run(listScript, key, [upTo, after, pageLength])) as readonly unknown[];
    const page = readDecisions(answer);
    listed.push(...page.filter(isWanted));
    const last = page.at(-1);
    if (listed.length >= count || answer.length < 2 * pageLength || last === undefined) return listed.slice(0, count);
    below = last.number;
  }
}

/** A decision, then its number, and so on. */
function readDecisions(answer: readonly unknown[]): readonly NumberedDecision[] {
  return answer.flatMap((text, index) => {
    if (index % 2 === 1 || typeof text !== "string") return [];
    return [{ ...(JSON.parse(text) as Decision), number: Number(answer[index + 1]) }];
  });
}
