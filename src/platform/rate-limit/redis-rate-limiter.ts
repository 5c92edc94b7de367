import type { Redis } from "../redis/redis.ts";
import {
  agesMax,
  type KeyUse,
  type KeyWindow,
  type Limit,
  type RateLimitDecision,
  type RemoteRateLimiter,
} from "./rate-limiter.ts";
import { giveBackScript, inspectScript, takeScript } from "./redis-window-scripts.ts";

const microsecondsPerSecond = 1_000_000;
/** How many keys are looked at for the busiest ones. */
const keysLookedAt = 10_000;

const redisClock = `
local time = redis.call("TIME")
local now = time[1] * 1000000 + time[2]
`;

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
  redis: Pick<Redis, "run" | "lengths">,
  clockLua: string = redisClock,
): RedisRateLimiter {
  const take = takeScript(clockLua);
  const inspection = inspectScript(clockLua);
  const nameOf = (limit: Limit, key: string): string => `window:${limit.name}:{${key}}`;
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
    const answer = await redis.run(inspection, nameOf(limit, key), [...argsOf(limit), agesCount]);
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
    take: (limit, key) => decisionOf(limit, key, redis.run(take, nameOf(limit, key), [argsOf(limit).join(" ")])),
    keysHeld: () => 0,
    inspect: (limit, key) => inspect(limit, key, agesMax),
    busiest: async (limit, count) => {
      const prefix = nameOf(limit, "").slice(0, -1);
      const lengths = [...(await redis.lengths(prefix, keysLookedAt))].sort(([, one], [, other]) => other - one);
      const uses: KeyUse[] = [];
      // A key is at least as long as what it counts. One after the other: it is for people, and others are counted
      // meanwhile.
      for (const [name] of lengths.slice(0, count * 2)) {
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
