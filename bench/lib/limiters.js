// What the limiters that are compared have in common: may this key pass? JavaScript, for the peers are packages of
// bench/ alone, which the type check of the whole does not have.
import { fastify } from "fastify";
import { Redis } from "ioredis";
import { pino } from "pino";
import { Registry } from "prom-client";
import { systemClock } from "../../src/platform/clock.ts";
import { createMemoryLimits } from "../../src/platform/counting.ts";
import { createFallbackRateLimiter } from "../../src/platform/rate-limit/fallback-rate-limiter.ts";
import { createRedisRateLimiter } from "../../src/platform/rate-limit/redis-rate-limiter.ts";
import { createRedisClient } from "../../src/platform/redis/redis-client.ts";
import { createRedisMetrics } from "../../src/platform/redis/redis-metrics.ts";
import { createRedis } from "../../src/platform/redis/redis.ts";
import { parseRedisUrl } from "../../src/redis-url.ts";

/** As many keys as Tollgate's holds of each limit. */
const keysMax = 100_000;

/**
 * The port, put together as the server does. Only the time that Redis has for an answer is longer: then the server
 * decides without it, and here it is Redis that is measured, on a machine that may be busy.
 */
export async function openTollgateLimiter(redisUrl) {
  const local = createMemoryLimits(systemClock);
  if (redisUrl === undefined) return local;
  const metrics = createRedisMetrics(new Registry());
  const redis = createRedis({
    client: createRedisClient(parseRedisUrl(redisUrl).value),
    keyPrefix: "tollgate:bench:",
    clock: systemClock,
    metrics,
    log: pino({ level: "warn" }),
    answerMillisecondsMax: 10_000,
  });
  await redis.open();
  // Counted by Redis alone, as the limit of everything that is signed in is.
  return createFallbackRateLimiter({
    redis: createRedisRateLimiter(redis),
    local,
    withoutRedis: () => "open",
    metrics,
  });
}

const openers = {
  tollgate: async ({ quota, windowSeconds, redisUrl }) => {
    const limiter = await openTollgateLimiter(redisUrl);
    const limit = { name: "api", quota, windowSeconds };
    return async (key) => {
      const { accepted, uncounted } = await limiter.take(limit, key);
      if (uncounted) throw new Error("Redis did not answer: that was no decision.");
      return accepted;
    };
  },
  "rate-limiter-flexible": async ({ quota, windowSeconds, redisUrl }) => {
    const { RateLimiterMemory, RateLimiterRedis } = await import("rate-limiter-flexible");
    const options = { points: quota, duration: windowSeconds };
    const limiter =
      redisUrl === undefined
        ? new RateLimiterMemory(options)
        : new RateLimiterRedis({ ...options, storeClient: new Redis(redisUrl) });
    return async (key) => {
      try {
        await limiter.consume(key);
        return true;
      } catch (refusal) {
        if (refusal instanceof Error) throw refusal;
        return false;
      }
    };
  },
  "@fastify/rate-limit": async ({ quota, windowSeconds, redisUrl }) => {
    const { default: rateLimit } = await import("@fastify/rate-limit");
    const app = fastify();
    const redis = redisUrl === undefined ? undefined : new Redis(redisUrl);
    await app.register(rateLimit, { global: false, cache: keysMax, redis, keyGenerator: ({ key }) => key });
    // Its own function for use without a route: what its hook calls, without the headers.
    const check = app.createRateLimit({ max: quota, timeWindow: windowSeconds * 1000 });
    const routeOptions = { config: {} };
    return async (key) => !(await check({ key, routeOptions })).isExceeded;
  },
};

/** @returns {Promise<(key: string) => Promise<boolean>>} whether the key may pass, which is then counted */
export async function openLimiter(name, options) {
  return openers[name](options);
}
