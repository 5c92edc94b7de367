import assert from "node:assert/strict";
import type { Redis as Client } from "ioredis";
import { createRedisRateLimiter, type RedisRateLimiter } from "../../src/platform/rate-limit/redis-rate-limiter.ts";
import type { Redis } from "../../src/platform/redis/redis.ts";

let limiters = 0;

/** A limiter in Redis whose time stands in a key there until it is turned, and whose other keys are its own. */
export async function createTurnedLimiter(
  redis: Redis | undefined,
  client: Client,
): Promise<{
  readonly limiter: RedisRateLimiter;
  readonly turn: (milliseconds: number) => Promise<void>;
  /** The whole name of its one key. */
  readonly keyOf: () => Promise<string>;
}> {
  assert.ok(redis);
  const own = `turned-${(limiters += 1)}`;
  await client.set(`${own}:clock`, Date.UTC(2026, 0, 15, 12) * 1000);
  const withOwnKeys: Pick<Redis, "run" | "lengths"> = {
    run: (script, key, args) => redis.run(script, `${own}:${key}`, args),
    lengths: async (prefix, countMax) => {
      const lengths = await redis.lengths(`${own}:${prefix}`, countMax);
      return new Map([...lengths].map(([name, length]) => [name.slice(own.length + 1), length]));
    },
  };
  return {
    limiter: createRedisRateLimiter(withOwnKeys, `local now = tonumber(redis.call("GET", "${own}:clock"))`),
    turn: async (milliseconds) => void (await client.incrby(`${own}:clock`, Math.round(milliseconds * 1000))),
    keyOf: async () => {
      const keys = await client.keys(`*${own}:window:*`);
      assert.equal(keys.length, 1);
      return keys[0] ?? "";
    },
  };
}
