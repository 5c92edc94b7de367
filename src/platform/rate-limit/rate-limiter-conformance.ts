import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import type { Limit, RateLimiter } from "./rate-limiter.ts";

/** A limiter whose time the test turns. */
export type LimiterUnderTest = {
  readonly limiter: RateLimiter;
  readonly advance: (milliseconds: number) => Promise<void>;
};

const five: Limit = { name: "five", quota: 5, windowSeconds: 60 };

/** What every rate limiter must do, whatever it counts in. */
export function rateLimiterConformance(name: string, make: () => Promise<LimiterUnderTest>): void {
  describe(`the ${name} rate limiter`, () => {
    test("accepts the quota, then refuses, then frees one place as one leaves the window", async () => {
      const { limiter, advance } = await make();
      for (let count = 0; count < 5; count += 1) {
        const decision = await limiter.take(five, "a");
        assert.equal(decision.accepted, true);
        assert.equal(decision.remaining, 4 - count);
        assert.equal(decision.retryAfterSeconds, 0);
        await advance(1000);
      }
      const refused = await limiter.take(five, "a");
      assert.deepEqual([refused.accepted, refused.remaining, refused.retryAfterSeconds], [false, 0, 55]);
      assert.equal((await limiter.take(five, "b")).accepted, true, "another key has its own");
      await advance(54_999);
      assert.equal((await limiter.take(five, "a")).accepted, false, "a millisecond before");
      await advance(1);
      assert.equal((await limiter.take(five, "a")).accepted, true);
      assert.equal((await limiter.take(five, "a")).accepted, false, "one place at a time");
    });

    test("a thousand at once: exactly the quota", async () => {
      // ASVS 6.3.1 (requirement 11)
      const { limiter } = await make();
      const decisions = await Promise.all(Array.from({ length: 1000 }, () => limiter.take(five, "a")));
      assert.equal(decisions.filter(({ accepted }) => accepted).length, 5);
    });

    test("a place that is given back is free at once, and only once", async () => {
      const { limiter } = await make();
      const taken = await Promise.all(Array.from({ length: 5 }, () => limiter.take(five, "a")));
      await taken[0]?.giveBack();
      await taken[0]?.giveBack();
      assert.equal((await limiter.take(five, "a")).accepted, true);
      const refused = await limiter.take(five, "a");
      assert.equal(refused.accepted, false);
      await refused.giveBack();
      assert.equal((await limiter.take(five, "a")).accepted, false, "a refused one has none to give");
    });

    test("at no moment more than the quota in any window, and Retry-After is true", async () => {
      const steps = fc.array(
        fc.record({ key: fc.constantFrom("a", "b"), wait: fc.integer({ min: 0, max: 30_000 }), givesBack: fc.nat(9) }),
        { minLength: 1, maxLength: 80 },
      );
      await fc.assert(
        fc.asyncProperty(steps, fc.integer({ min: 1, max: 6 }), async (schedule, quota) => {
          const { limiter, advance } = await make();
          const limit: Limit = { name: "some", quota, windowSeconds: 60 };
          const accepted: Record<string, number[]> = { a: [], b: [] };
          let now = 0;
          for (const { key, wait, givesBack } of schedule) {
            now += wait;
            await advance(wait);
            const inWindow = (accepted[key] ?? []).filter((time) => now - time < 60_000);
            const decision = await limiter.take(limit, key);
            assert.equal(decision.accepted, inWindow.length < quota);
            if (!decision.accepted) {
              const freeIn = Math.min(...inWindow) + 60_000 - now;
              assert.ok(decision.retryAfterSeconds * 1000 >= freeIn, "waiting so long is enough");
              assert.ok((decision.retryAfterSeconds - 1) * 1000 < freeIn, "a second less is not");
              assert.equal(decision.remaining, 0);
              continue;
            }
            assert.equal(decision.remaining, quota - inWindow.length - 1);
            if (givesBack === 0) await decision.giveBack();
            else accepted[key] = [...inWindow, now];
          }
        }),
        { numRuns: 60 },
      );
    });
  });
}
