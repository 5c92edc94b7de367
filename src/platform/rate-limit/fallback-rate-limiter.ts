import type { WithoutRedis } from "../../contract/limits.ts";
import { RedisAway } from "../redis/redis-faults.ts";
import type { RedisMetrics } from "../redis/redis-metrics.ts";
import type { RedisRateLimiter } from "./redis-rate-limiter.ts";
import type { Limit, RateLimitDecision, RateLimiter } from "./rate-limiter.ts";

type Parts = {
  /** Counts for all processes. */
  readonly redis: RedisRateLimiter;
  /** Counts for this one. */
  readonly local: RateLimiter;
  /** What becomes of a limit while Redis is away. */
  readonly withoutRedis: (limitName: string) => WithoutRedis;
  readonly metrics: Pick<RedisMetrics, "limitsWithoutRedis">;
};

/**
 * Redis decides while it is there. Away, a limit that guards a secret is counted by this process alone, with the same
 * quota, and one that only spares the server is open: to refuse readers because of a counter would be the worse outage.
 *
 * What guards a secret is counted here as well while Redis is there, for two reasons. When Redis goes away, guesses
 * that were made already still count. And a Redis that forgets (a restart, FLUSHALL, keys that it throws out to make
 * room, which anybody could bring about) opens nothing: no process ever lets more than the quota through.
 */
export function createFallbackRateLimiter({ redis, local, withoutRedis, metrics }: Parts): RateLimiter {
  const takeWithout = async (limit: Limit, key: string, late?: Promise<unknown>): Promise<RateLimitDecision> => {
    const counted = withoutRedis(limit.name);
    metrics.limitsWithoutRedis.inc({ limit: limit.name, counted });
    if (counted === "open") return openDecision(limit);
    const decision = await local.take(limit, key);
    if (late === undefined) return decision;
    const lateDecision = redis.decisionOf(limit, key, late);
    // That it never comes is no fault, also when nobody asks for it.
    lateDecision.catch(() => undefined);
    const giveBackLate = (): void => void lateDecision.then(({ giveBack }) => giveBack()).catch(() => undefined);
    // Both count it or neither does, though nobody waits for that.
    if (!decision.accepted) giveBackLate();
    return { ...decision, giveBack: async () => (giveBackLate(), decision.giveBack()) };
  };
  return {
    take: async (limit, key) => {
      let decision: RateLimitDecision;
      try {
        decision = await redis.take(limit, key);
      } catch (error) {
        if (!(error instanceof RedisAway)) throw error;
        return takeWithout(limit, key, error.late);
      }
      if (!decision.accepted || withoutRedis(limit.name) === "open") return decision;
      return bothCounted(decision, await local.take(slightlyShorter(limit), key));
    },
    keysHeld: local.keysHeld,
    inspect: async (limit, key) => redis.inspect(limit, key).catch(ifAway(() => local.inspect(limit, key))),
    busiest: async (limit, count) => redis.busiest(limit, count).catch(ifAway(() => local.busiest(limit, count))),
  };
}

/** Redis has accepted; this process refuses only when Redis has forgotten what was counted. */
async function bothCounted(shared: RateLimitDecision, own: RateLimitDecision): Promise<RateLimitDecision> {
  const giveBack = async (): Promise<void> => {
    await Promise.all([own.giveBack(), shared.giveBack().catch(ifAway(() => undefined))]);
  };
  if (own.accepted) return { ...shared, giveBack };
  await giveBack();
  return own;
}

/**
 * For the count beside that of Redis: two clocks never run alike, and this one must not still count what has left the
 * window by the other. A hundredth, and a tenth of a second for the way.
 */
function slightlyShorter(limit: Limit): Limit {
  return { ...limit, windowSeconds: limit.windowSeconds * 0.99 - 0.1 };
}

function openDecision({ quota }: Limit): RateLimitDecision {
  return {
    accepted: true,
    uncounted: true,
    remaining: quota,
    resetSeconds: 0,
    retryAfterSeconds: 0,
    giveBack: async () => undefined,
  };
}

/** What is done instead when Redis is away; any other error is one. */
function ifAway<T>(instead: () => T): (error: unknown) => T {
  return (error) => {
    if (error instanceof RedisAway) return instead();
    throw error;
  };
}
