import { type LimitName, type WithoutRedis, limits } from "../contract/limits.ts";
import { createMemoryDecisionLog } from "./http/decisions.ts";
import type { Platform } from "./platform.ts";
import { createFallbackRateLimiter } from "./rate-limit/fallback-rate-limiter.ts";
import { createMemoryRateLimiter } from "./rate-limit/memory-rate-limiter.ts";
import { createRedisRateLimiter } from "./rate-limit/redis-rate-limiter.ts";
import { createRedisClient } from "./redis/redis-client.ts";
import { createRedisMetrics } from "./redis/redis-metrics.ts";
import { createRedis } from "./redis/redis.ts";

const decisionsMax = 10_000;
const limiterKeysMax = 100_000;

/** What several processes share if there is a Redis, and each keeps in its own memory if not. */
export function createCounting({
  config,
  clock,
  realClock,
  metrics,
  log,
  secrets,
}: Pick<Platform, "config" | "clock" | "realClock" | "metrics" | "log" | "secrets">): Pick<
  Platform,
  "redis" | "rateLimiter" | "decisions"
> {
  const local = createMemoryRateLimiter(clock, { keysMax: limiterKeysMax });
  const decisions = createMemoryDecisionLog(decisionsMax);
  if (config.redis === undefined) return { redis: undefined, rateLimiter: local, decisions };
  const redisMetrics = createRedisMetrics(metrics.registry);
  const redis = createRedis({
    client: createRedisClient(config.redis),
    // Two installations may use one Redis: what they share is not this.
    keyPrefix: `tollgate:${secrets.tag("redis", "key prefix").slice(0, 10)}:`,
    clock: realClock,
    metrics: redisMetrics,
    log,
  });
  const shared = createRedisRateLimiter(redis);
  const rateLimiter = createFallbackRateLimiter({ redis: shared, local, withoutRedis, metrics: redisMetrics });
  return { redis, rateLimiter, decisions };
}

function withoutRedis(limitName: string): WithoutRedis {
  return Object.hasOwn(limits, limitName) ? limits[limitName as LimitName].withoutRedis : "local";
}
