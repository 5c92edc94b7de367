import type { Redis } from "../redis/redis.ts";
import { redisScript, redisScriptForMany } from "../redis/redis-script.ts";
import {
  agesMax,
  type KeyUse,
  type KeyWindow,
  type Limit,
  type RateLimitDecision,
  type RemoteRateLimiter,
} from "./rate-limiter.ts";

const microsecondsPerSecond = 1_000_000;
/** How many keys are looked at for the busiest ones. */
const keysLookedAt = 10_000;

/**
 * A key is a list of the times of the accepted requests, oldest first, in microseconds of Redis's clock; it never has
 * more than the quota. Its argument: the quota and the window in microseconds, as text. Answers: how many are counted,
 * 0 or below when refused; when the oldest one leaves, in microseconds from now; and the time that was counted or,
 * refused, when a place is free (from now).
 *
 * Redis runs a script whole before anything else, so checking and counting are one step for all processes. It also runs
 * one script at a time, so that its own time is what all of them share: nothing is asked twice in here, and a number
 * that is given as text saves the writing of it.
 */
const takeLua = (clock: string): string => `
local call = redis.call
${clock}
local nowText = string.format("%.0f", now)
local quotas, windows = {}, {}
local function answer(key, limit)
  local quota, window = quotas[limit], windows[limit]
  if not quota then
    quota, window = string.match(limit, "(%d+) (%d+)")
    quota, window = tonumber(quota), tonumber(window)
    quotas[limit], windows[limit] = quota, window
  end
  local count = call("LLEN", key)
  local age, newestAge = 0, 0 -- age is that of the oldest one
  if count > 0 then
    newestAge = now - call("LINDEX", key, "-1")
    if newestAge < 0 then
      -- Somebody set the clock back: what was counted is as if counted now, and leaves a window from now at the latest.
      local index = -1
      while -index <= count and now - call("LINDEX", key, index) < 0 do
        call("LSET", key, index, nowText)
        index = index - 1
      end
      newestAge = 0
    end
    age = count == 1 and newestAge or now - call("LINDEX", key, "0")
  end
  if age >= window then
    call("LPOP", key)
    count = count - 1
    age = count > 0 and now - call("LINDEX", key, "0") or 0
  end
  if age >= window then
    -- More than one has left.
    local low, high = 1, count
    age = 0
    while low < high do
      local middle = math.floor((low + high) / 2)
      local itsAge = now - call("LINDEX", key, middle)
      if itsAge >= window then low = middle + 1 else high, age = middle, itsAge end
    end
    call("LTRIM", key, low, "-1")
    count = count - low
  end
  if count < quota then
    call("RPUSH", key, nowText)
    -- At the first in each half second: a key is kept for a second longer than its window, so none goes a hair too early.
    if count == 0 or newestAge > now % 500000 then call("PEXPIRE", key, math.ceil(window / 1000) + 1000) end
    return count + 1, window - age, now
  end
  local reset = window - age
  -- More than the quota are counted when it was made smaller: then the oldest ones that are too many must leave too.
  if count > quota then age = now - call("LINDEX", key, count - quota) end
  return -count, reset, window - age
end
`;

/**
 * KEYS and the first two ARGV as above; the third is how many ages at most. Answers: how many are counted, when a place
 * is free, their ages, newest first.
 */
const inspectLua = (clock: string): string => `
local key, quota, window = KEYS[1], tonumber(ARGV[1]), tonumber(ARGV[2])
${clock}
local function timeAt(index) return tonumber(redis.call("LINDEX", key, index)) end
local count = redis.call("LLEN", key)
-- The index of the oldest one that is still in the window.
local first, high = 0, count
while first < high do
  local middle = math.floor((first + high) / 2)
  if now - timeAt(middle) >= window then first = middle + 1 else high = middle end
end
local used = count - first
local free = 0
if used >= quota then free = timeAt(count - quota) + window - now end
local ages = {}
for index = 1, math.min(used, tonumber(ARGV[3])) do ages[index] = math.max(0, now - timeAt(-index)) end
return { used, free, ages }
`;

const redisClock = `
local time = redis.call("TIME")
local now = time[1] * 1000000 + time[2]
`;

/** Entries of the same microsecond are alike. What has left the window is not found, so it costs no later one. */
const giveBackScript = redisScript("give-back", `return redis.call("LREM", KEYS[1], -1, ARGV[1])`);

export type RedisRateLimiter = RemoteRateLimiter & {
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
  const takeScript = redisScriptForMany("take", takeLua(clockLua));
  const inspectScript = redisScript("inspect", inspectLua(clockLua));
  const nameOf = (limit: Limit, key: string): string => `limit:${limit.name}:{${key}}`;
  const decisionOf = async (limit: Limit, key: string, answer: Promise<unknown>): Promise<RateLimitDecision> => {
    const [count, resetMicroseconds, countedOrFree] = readAnswer(await answer);
    const accepted = count > 0;
    let isCounted = accepted;
    return {
      accepted,
      remaining: Math.max(0, limit.quota - Math.abs(count)),
      resetSeconds: Math.ceil(resetMicroseconds / microsecondsPerSecond),
      retryAfterSeconds: accepted ? 0 : Math.ceil(countedOrFree / microsecondsPerSecond),
      giveBack: async () => {
        if (!isCounted) return;
        isCounted = false;
        await redis.run(giveBackScript, nameOf(limit, key), [countedOrFree]);
      },
    };
  };
  const argsOf = ({ quota, windowSeconds }: Limit): number[] => [
    quota,
    Math.round(windowSeconds * microsecondsPerSecond),
  ];
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
    take: (limit, key) => decisionOf(limit, key, redis.run(takeScript, nameOf(limit, key), [argsOf(limit).join(" ")])),
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

type Answer = readonly [count: number, reset: number, countedOrFree: number];

function readAnswer(answer: unknown): Answer {
  const isAnswer = Array.isArray(answer) && answer.length === 3 && answer.every(Number.isSafeInteger);
  if (!isAnswer) throw new Error("The script that counts answered in another way.");
  return answer as unknown as Answer;
}
