import type { Redis } from "../redis/redis.ts";
import { redisScript } from "../redis/redis-script.ts";
import {
  agesMax,
  type KeyUse,
  type KeyWindow,
  type Limit,
  type RateLimitDecision,
  type RateLimiter,
} from "./rate-limiter.ts";

const microsecondsPerSecond = 1_000_000;
/** How many keys are looked at for the busiest ones. */
const keysLookedAt = 10_000;

/** What the scripts begin with. `firstWithin` is the index of the oldest time that is still in the window. */
const preludeLua = (clock: string): string => `
local key, quota, window = KEYS[1], tonumber(ARGV[1]), tonumber(ARGV[2])
${clock}
local function timeAt(index) return tonumber(redis.call("LINDEX", key, index)) end
local count = redis.call("LLEN", key)
local function firstWithin()
  if count == 0 or now - timeAt(0) < window then return 0 end
  local low, high = 1, count
  while low < high do
    local middle = math.floor((low + high) / 2)
    if now - timeAt(middle) >= window then low = middle + 1 else high = middle end
  end
  return low
end
`;

/**
 * KEYS[1] is a list of the times of the accepted requests, oldest first, in microseconds of Redis's clock; it never
 * has more than the quota. ARGV: the quota, the window in microseconds. Answers: accepted?, how many are counted, when
 * the oldest one leaves, when a place is free (both in microseconds from now), the time that was counted.
 *
 * Redis runs a script whole before anything else, so checking and counting are one step for all processes.
 */
const takeLua = `
-- Somebody set the clock back: what was counted is as if counted now, and leaves a window from now at the latest.
local index = -1
while -index <= count and timeAt(index) > now do
  redis.call("LSET", key, index, string.format("%.0f", now))
  index = index - 1
end
local first = firstWithin()
if first > 0 then
  redis.call("LTRIM", key, first, -1)
  count = count - first
end
local accepted = count < quota
if accepted then
  redis.call("RPUSH", key, string.format("%.0f", now))
  -- A second more than the window: keys must not go a hair too early.
  redis.call("PEXPIRE", key, math.ceil(window / 1000) + 1000)
  count = count + 1
end
local reset = timeAt(0) + window - now
-- More than the quota are counted when it was made smaller: then the oldest ones that are too many must leave too.
local free = timeAt(math.max(0, count - quota)) + window - now
return { accepted and 1 or 0, count, reset, free, string.format("%.0f", now) }
`;

/** ARGV, besides: how many ages at most. Answers: how many are counted, when a place is free, their ages, newest first. */
const inspectLua = `
local used = count - firstWithin()
local free = 0
if used >= quota then free = timeAt(count - quota) + window - now end
local ages = {}
for index = 1, math.min(used, tonumber(ARGV[3])) do ages[index] = math.max(0, now - timeAt(-index)) end
return { used, free, ages }
`;

const redisClock = `
local time = redis.call("TIME")
local now = tonumber(time[1]) * 1000000 + tonumber(time[2])
`;

/** Entries of the same microsecond are alike. What has left the window is not found, so it costs no later one. */
const giveBackScript = redisScript("give-back", `return redis.call("LREM", KEYS[1], -1, ARGV[1])`);

export type RedisRateLimiter = RateLimiter & {
  /** The decision that came after its deadline, should it come: whoever decided otherwise may give its place back. */
  readonly decisionOf: (limit: Limit, key: string, late: Promise<unknown>) => Promise<RateLimitDecision>;
};

/**
 * Exact sliding windows in Redis, for all processes together, by Redis's clock. One round trip for each decision.
 * Keys vanish a second after their last window. Each call throws RedisAway.
 *
 * @param clockLua sets the local `now`; another one than Redis's own is for tests that turn the time
 */
export function createRedisRateLimiter(
  redis: Pick<Redis, "run" | "lists">,
  clockLua: string = redisClock,
): RedisRateLimiter {
  const takeScript = redisScript("take", preludeLua(clockLua) + takeLua);
  const inspectScript = redisScript("inspect", preludeLua(clockLua) + inspectLua);
  const nameOf = (limit: Limit, key: string): string => `limit:${limit.name}:{${key}}`;
  const decisionOf = async (limit: Limit, key: string, answer: Promise<unknown>): Promise<RateLimitDecision> => {
    const [accepted, count, resetMicroseconds, freeMicroseconds, time] = readAnswer(await answer);
    let isCounted = accepted === 1;
    return {
      accepted: accepted === 1,
      remaining: Math.max(0, limit.quota - count),
      resetSeconds: Math.ceil(resetMicroseconds / microsecondsPerSecond),
      retryAfterSeconds: accepted === 1 ? 0 : Math.ceil(freeMicroseconds / microsecondsPerSecond),
      giveBack: async () => {
        if (!isCounted) return;
        isCounted = false;
        await redis.run(giveBackScript, nameOf(limit, key), [time]);
      },
    };
  };
  const argsOf = ({ quota, windowSeconds }: Limit): number[] => [quota, windowSeconds * microsecondsPerSecond];
  const inspect = async (limit: Limit, key: string, agesCount: number): Promise<KeyWindow> => {
    const answer = await redis.run(inspectScript, nameOf(limit, key), [...argsOf(limit), agesCount]);
    const [used, freeMicroseconds, ages] = answer as [number, number, readonly number[]];
    return {
      key,
      used,
      remaining: Math.max(0, limit.quota - used),
      retryAfterSeconds: Math.ceil(freeMicroseconds / microsecondsPerSecond),
      agesMilliseconds: ages.map((age) => age / 1000),
    };
  };
  return {
    decisionOf,
    take: (limit, key) => decisionOf(limit, key, redis.run(takeScript, nameOf(limit, key), argsOf(limit))),
    keysHeld: () => 0,
    inspect: (limit, key) => inspect(limit, key, agesMax),
    busiest: async (limit, count) => {
      const prefix = nameOf(limit, "").slice(0, -1);
      const lists = [...(await redis.lists(prefix, keysLookedAt))].sort(([, one], [, other]) => other - one);
      const uses: KeyUse[] = [];
      // A list is at least as long as what it counts. One after the other: it is for people, and others are counted
      // meanwhile.
      for (const [name] of lists.slice(0, count * 2)) {
        const { key, used, remaining, retryAfterSeconds } = await inspect(limit, name.slice(prefix.length, -1), 0);
        if (used > 0) uses.push({ key, used, remaining, retryAfterSeconds });
      }
      return uses.sort((one, other) => other.used - one.used).slice(0, count);
    },
  };
}

type Answer = readonly [accepted: number, count: number, reset: number, free: number, time: string];

function readAnswer(answer: unknown): Answer {
  const isAnswer = Array.isArray(answer) && answer.length === 5 && answer.slice(0, 4).every(Number.isSafeInteger);
  if (!isAnswer) throw new Error("The script that counts answered in another way.");
  return answer as unknown as Answer;
}
