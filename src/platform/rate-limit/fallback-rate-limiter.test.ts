import assert from "node:assert/strict";
import { after, test } from "node:test";
import { Redis as Client } from "ioredis";
import { Registry } from "prom-client";
import { openRedis, startRedis, withoutRedis } from "../../../test/support/redis-server.ts";
import { createTestClock } from "../../../test/support/test-clock.ts";
import { createTurnedLimiter } from "../../../test/support/turned-redis.ts";
import { RedisAway } from "../redis/redis-faults.ts";
import { createRedisMetrics } from "../redis/redis-metrics.ts";
import { createFallbackRateLimiter } from "./fallback-rate-limiter.ts";
import { createMemoryRateLimiter } from "./memory-rate-limiter.ts";
import { rateLimiterConformance } from "./rate-limiter-conformance.ts";
import type { Limit, RateLimitDecision } from "./rate-limiter.ts";
import type { RedisRateLimiter } from "./redis-rate-limiter.ts";

const skip = withoutRedis();
const server = skip ? undefined : await startRedis({ after });
const url = server?.url ?? "";
const redis = skip ? undefined : await openRedis({ after }, url, { answerMillisecondsMax: 10_000 });
const client = new Client(url, { lazyConnect: true });
after(() => client.disconnect());

const secret: Limit = { name: "secret", quota: 3, windowSeconds: 60 };
const reading: Limit = { ...secret, name: "reading" };

function createWith(redisLimiter: RedisRateLimiter) {
  const clock = createTestClock();
  const metrics = createRedisMetrics(new Registry());
  const local = createMemoryRateLimiter(clock, { keysMax: 1000 });
  const withoutRedis = (name: string) => (name === "reading" ? "open" : "local");
  return {
    clock,
    local,
    limiter: createFallbackRateLimiter({ redis: redisLimiter, local, withoutRedis, metrics }),
    fallbacks: async () => {
      const { values } = await metrics.limitsWithoutRedis.get();
      return values.map(({ labels, value }) => `${labels.limit} ${labels.counted} ${value}`);
    },
  };
}

/** Redis that answers as the test says: a decision, or away, perhaps with a decision that comes too late. */
function createScripted(): {
  readonly limiter: RedisRateLimiter;
  readonly next: (answer: "accept" | "away" | Promise<RateLimitDecision>) => void;
  readonly given: string[];
} {
  const answers: ("accept" | "away" | Promise<RateLimitDecision>)[] = [];
  const given: string[] = [];
  return {
    given,
    next: (answer) => void answers.push(answer),
    limiter: {
      take: async () => {
        const answer = answers.shift() ?? "away";
        if (answer === "accept") return acceptance(given, "in time");
        throw new RedisAway("no answer in time", answer === "away" ? undefined : answer);
      },
      decisionOf: async (_limit, _key, late) => (await late) as RateLimitDecision,
      keysHeld: () => 0,
      inspect: async () => Promise.reject(new RedisAway("no answer in time")),
      busiest: async () => Promise.reject(new RedisAway("no answer in time")),
    },
  };
}

function acceptance(given: string[], which: string): RateLimitDecision {
  const giveBack = async (): Promise<void> => void given.push(which);
  return { accepted: true, remaining: 9, resetSeconds: 60, retryAfterSeconds: 0, giveBack };
}

const settled = async (): Promise<void> => {
  for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
};

rateLimiterConformance(
  "Redis and local",
  async () => {
    const { limiter: shared, turn } = await createTurnedLimiter(redis, client);
    const { limiter, clock } = createWith(shared);
    return {
      limiter,
      advance: async (milliseconds) => {
        clock.advance(milliseconds);
        await turn(milliseconds);
      },
    };
  },
  skip,
);

test("Redis away: a secret's limit is counted here with its quota, reading is open, and it is told", async () => {
  const { limiter, fallbacks } = createWith(createScripted().limiter);
  const decisions: unknown[] = [];
  for (let count = 0; count < 4; count += 1) decisions.push((await limiter.take(secret, "a")).accepted);
  assert.deepEqual(decisions, [true, true, true, false]);
  for (let count = 0; count < 100; count += 1) {
    const { accepted, uncounted } = await limiter.take(reading, "a");
    assert.deepEqual([accepted, uncounted], [true, true]);
  }
  assert.equal(limiter.keysHeld(), 1, "what is open holds nothing");
  assert.equal((await limiter.inspect(secret, "a")).used, 3, "as counted here");
  assert.deepEqual(
    (await limiter.busiest(secret, 5)).map(({ key }) => key),
    ["a"],
  );
  assert.deepEqual(await fallbacks(), ["secret local 4", "reading open 100"]);
});

test("what was counted while Redis was there still is when it goes away", async () => {
  const scripted = createScripted();
  const { limiter, fallbacks } = createWith(scripted.limiter);
  scripted.next("accept");
  scripted.next("accept");
  await limiter.take(secret, "a");
  const { giveBack } = await limiter.take(secret, "a");
  assert.deepEqual(await fallbacks(), []);
  await giveBack();
  assert.deepEqual(scripted.given, ["in time"]);
  const decisions: unknown[] = [];
  for (let count = 0; count < 3; count += 1) decisions.push((await limiter.take(secret, "a")).accepted);
  assert.deepEqual(decisions, [true, true, false], "one of three was counted before, the other was given back");
});

test("an acceptance that comes too late is given back with the one that was told, and never twice", async () => {
  const scripted = createScripted();
  const { limiter } = createWith(scripted.limiter);
  const late = Promise.withResolvers<RateLimitDecision>();
  scripted.next(late.promise);
  const decision = await limiter.take(secret, "a");
  assert.equal(decision.accepted, true, "nobody waits");
  await decision.giveBack();
  assert.deepEqual(scripted.given, []);
  late.resolve(acceptance(scripted.given, "late"));
  await settled();
  assert.deepEqual(scripted.given, ["late"]);
});

test("one that comes too late stays counted in both, or, refused here, in neither", async () => {
  const scripted = createScripted();
  const { limiter } = createWith(scripted.limiter);
  for (let count = 0; count < 3; count += 1) {
    scripted.next(Promise.resolve(acceptance(scripted.given, `late ${count}`)));
    assert.equal((await limiter.take(secret, "a")).accepted, true);
  }
  await settled();
  assert.deepEqual(scripted.given, []);
  scripted.next(Promise.resolve(acceptance(scripted.given, "one too many")));
  assert.equal((await limiter.take(secret, "a")).accepted, false);
  scripted.next(Promise.reject(new Error("and what never comes is no fault")));
  assert.equal((await limiter.take(secret, "a")).accepted, false);
  await settled();
  assert.deepEqual(scripted.given, ["one too many"]);
});

test("what never comes troubles nobody, though it was accepted here", async (t) => {
  const unheard: unknown[] = [];
  const hear = (reason: unknown): void => void unheard.push(reason);
  process.on("unhandledRejection", hear);
  t.after(() => process.off("unhandledRejection", hear));
  const scripted = createScripted();
  const { limiter } = createWith(scripted.limiter);
  const late = Promise.withResolvers<RateLimitDecision>();
  scripted.next(late.promise);
  assert.equal((await limiter.take(secret, "a")).accepted, true);
  late.reject(new Error("the connection broke"));
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(unheard, []);
});

test("a Redis that forgets opens nothing that guards a secret", { skip }, async () => {
  // X10: FLUSHALL; the same is a restart, or keys thrown out to make room.
  const { limiter: shared, turn } = await createTurnedLimiter(redis, client);
  const { limiter, clock, fallbacks } = createWith(shared);
  const take = async (limit: Limit): Promise<boolean> => (await limiter.take(limit, "a")).accepted;
  for (let count = 0; count < 3; count += 1) assert.deepEqual([await take(secret), await take(reading)], [true, true]);
  assert.deepEqual([await take(secret), await take(reading)], [false, false]);
  const keys = await client.keys("*:window:*");
  await client.del(keys);
  assert.deepEqual([await take(secret), await take(reading)], [false, true]);
  clock.advance(60_000);
  await turn(60_000);
  for (let count = 0; count < 3; count += 1) assert.equal(await take(secret), true, "the refused ones cost no place");
  assert.deepEqual(await fallbacks(), []);
});

test("a fault of our own is no fallback", async () => {
  const broken = { ...createScripted().limiter, take: async () => Promise.reject(new TypeError("a bug")) };
  await assert.rejects(async () => createWith(broken).limiter.take(secret, "a"), TypeError);
});
