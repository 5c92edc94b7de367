import assert from "node:assert/strict";
import { test } from "node:test";
import { createTestClock } from "../../../test/support/test-clock.ts";
import { createMemoryRateLimiter } from "./memory-rate-limiter.ts";
import { rateLimiterConformance } from "./rate-limiter-conformance.ts";
import type { Limit } from "./rate-limiter.ts";

rateLimiterConformance("memory", async () => {
  const clock = createTestClock();
  return {
    limiter: createMemoryRateLimiter(clock, { keysMax: 1000 }),
    advance: async (milliseconds) => clock.advance(milliseconds),
  };
});

const limit: Limit = { name: "some", quota: 2, windowSeconds: 60 };

test("a million keys: never more than the bound are held, and those of another limit stay", () => {
  const clock = createTestClock();
  const limiter = createMemoryRateLimiter(clock, { keysMax: 10_000 });
  const guarded: Limit = { ...limit, name: "login-account" };
  limiter.take(guarded, "alice");
  limiter.take(guarded, "alice");
  for (let index = 0; index < 1_000_000; index += 1) limiter.take(limit, `made up ${index}`);
  assert.equal(limiter.keysHeld(), 10_001);
  assert.equal(limiter.take(guarded, "alice").accepted, false, "made-up keys push out none that guard a secret");
});

test("a key in use stays when the map is full; the one that was not used for longest goes", () => {
  const limiter = createMemoryRateLimiter(createTestClock(), { keysMax: 3 });
  for (const key of ["a", "a", "b", "b", "c", "a", "d"]) limiter.take(limit, key);
  assert.equal(limiter.take(limit, "a").accepted, false, "refused, yet used");
  assert.equal(limiter.take(limit, "b").accepted, true, "forgotten");
  assert.equal(limiter.keysHeld(), 3);
});

test("keys that are idle are forgotten as others come", () => {
  const clock = createTestClock();
  const limiter = createMemoryRateLimiter(clock, { keysMax: 100_000 });
  for (let index = 0; index < 1000; index += 1) limiter.take(limit, `old ${index}`);
  clock.advance(60_000);
  for (let index = 0; index < 1000; index += 1) limiter.take(limit, `new ${index}`);
  assert.equal(limiter.keysHeld(), 1000);
});

test("somebody who sets the machine's clock changes nothing", () => {
  // X11
  const clock = createTestClock();
  const limiter = createMemoryRateLimiter(clock, { keysMax: 10 });
  limiter.take(limit, "a");
  limiter.take(limit, "a");
  clock.jump(86_400_000);
  assert.equal(limiter.take(limit, "a").accepted, false);
  clock.jump(-2 * 86_400_000);
  assert.equal(limiter.take(limit, "a").retryAfterSeconds, 60);
});

test("times between two milliseconds add no second to what it tells", () => {
  // performance.now() has such times, and (now + 60,000) - now is then a little more than 60,000 for one in a hundred.
  for (let index = 0; index < 10_000; index += 1) {
    const now = 1000 + index * 977.123_457;
    const limiter = createMemoryRateLimiter({ monotonicNow: () => now }, { keysMax: 10 });
    assert.equal(limiter.take(limit, "a").resetSeconds, 60, String(now));
    limiter.take(limit, "a");
    assert.equal(limiter.take(limit, "a").retryAfterSeconds, 60, String(now));
  }
});

test("looking at a key keeps it no longer, and of very many those used last are looked at", async () => {
  const limiter = createMemoryRateLimiter(createTestClock(), { keysMax: 20_000 });
  limiter.take(limit, "long ago");
  limiter.take(limit, "long ago");
  for (let index = 0; index < 19_999; index += 1) limiter.take(limit, `other ${index}`);
  assert.equal((await limiter.inspect(limit, "long ago")).used, 2);
  const busiest = await limiter.busiest(limit, 20_000);
  assert.equal(busiest.length, 10_000);
  assert.ok(!busiest.some(({ key }) => key === "long ago"));
  limiter.take(limit, "one more");
  assert.equal((await limiter.inspect(limit, "long ago")).used, 0, "the first to go, though it was looked at");
  assert.deepEqual([limiter.keysHeld("some"), limiter.keysHeld("another"), limiter.keysHeld()], [20_000, 0, 20_000]);
});

test("of a window with very many requests the newest thousand are drawn", async () => {
  const clock = createTestClock();
  const limiter = createMemoryRateLimiter(clock, { keysMax: 10 });
  const large: Limit = { name: "large", quota: 100_000, windowSeconds: 60 };
  for (let index = 0; index < 1_500; index += 1) {
    limiter.take(large, "a");
    clock.advance(1);
  }
  const { used, agesMilliseconds } = await limiter.inspect(large, "a");
  assert.equal(used, 1_500);
  assert.deepEqual([agesMilliseconds.length, agesMilliseconds[0], agesMilliseconds.at(-1)], [1_000, 1, 1_000]);
});
