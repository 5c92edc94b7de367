import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import type { Limit, RateLimitDecision, RateLimiter } from "./rate-limiter.ts";

/** A limiter whose time the test turns. */
export type LimiterUnderTest = {
  readonly limiter: RateLimiter;
  readonly advance: (milliseconds: number) => Promise<void>;
};

type Make = () => Promise<LimiterUnderTest>;

const five: Limit = { name: "five", quota: 5, windowSeconds: 60 };
const windowMilliseconds = five.windowSeconds * 1000;

/** What every rate limiter must do, whatever it counts in. */
export function rateLimiterConformance(name: string, make: Make, skip: string | false = false): void {
  describe(`the ${name} rate limiter`, { skip }, () => {
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
      assert.equal((await limiter.take({ ...five, name: "other" }, "a")).accepted, true, "so has another limit");
      await advance(54_999);
      assert.equal((await limiter.take(five, "a")).accepted, false, "a millisecond before");
      await advance(1);
      assert.equal((await limiter.take(five, "a")).accepted, true);
      assert.equal((await limiter.take(five, "a")).accepted, false, "one place at a time");
    });

    test("a thousand at once: exactly the quota", async () => {
      // ASVS 6.3.1 (requirement 11)
      const { limiter } = await make();
      const decisions = await Promise.all(Array.from({ length: 1000 }, async () => limiter.take(five, "a")));
      assert.equal(decisions.filter(({ accepted }) => accepted).length, 5);
    });

    test("a place that is given back is free at once, and only once", async () => {
      const { limiter } = await make();
      const taken = await Promise.all(Array.from({ length: 5 }, async () => limiter.take(five, "a")));
      await taken[0]?.giveBack();
      await taken[0]?.giveBack();
      assert.equal((await limiter.take(five, "a")).accepted, true);
      const refused = await limiter.take(five, "a");
      assert.equal(refused.accepted, false);
      await refused.giveBack();
      assert.equal((await limiter.take(five, "a")).accepted, false, "a refused one has none to give");
    });

    test("a place that has left the window cannot be given back at the cost of a later one", async () => {
      const { limiter, advance } = await make();
      const old = await limiter.take(five, "a");
      await advance(1);
      for (let count = 0; count < 4; count += 1) await limiter.take(five, "a");
      await advance(windowMilliseconds - 1);
      assert.equal((await limiter.take(five, "a")).accepted, true, "in the place of the old one");
      await old.giveBack();
      assert.equal((await limiter.take(five, "a")).accepted, false);
    });

    test("how a key stands can be looked at, which counts nothing", async () => {
      const { limiter, advance } = await make();
      const unseen = { key: "a", used: 0, remaining: 5, retryAfterSeconds: 0, agesMilliseconds: [] };
      assert.deepEqual(await limiter.inspect(five, "a"), unseen);
      for (let count = 0; count < 6; count += 1) {
        await limiter.take(five, "a");
        await advance(10_000);
      }
      const full = { key: "a", used: 4, remaining: 1, retryAfterSeconds: 0 };
      const agesMilliseconds = [20_000, 30_000, 40_000, 50_000];
      assert.deepEqual(await limiter.inspect(five, "a"), { ...full, agesMilliseconds });
      await limiter.take(five, "a");
      const { remaining, retryAfterSeconds } = await limiter.inspect(five, "a");
      assert.deepEqual([remaining, retryAfterSeconds], [0, 10]);
      const lowered = await limiter.inspect({ ...five, quota: 2 }, "a");
      assert.deepEqual([lowered.used, lowered.remaining, lowered.retryAfterSeconds], [5, 0, 40]);
      await advance(windowMilliseconds);
      assert.deepEqual(await limiter.inspect(five, "a"), unseen);
    });

    test("the busiest keys are told, the fullest first, and none that is idle", async () => {
      const { limiter, advance } = await make();
      assert.deepEqual(await limiter.busiest(five, 10), []);
      await limiter.take(five, "idle");
      await advance(windowMilliseconds - 1);
      for (const key of ["b", "c {x} *", "c {x} *", "d", "d", "d", "d", "d", "d"]) await limiter.take(five, key);
      await limiter.take({ ...five, name: "fives" }, "of another limit");
      await advance(1);
      const busiest = await limiter.busiest(five, 10);
      assert.deepEqual(
        busiest.map(({ key, used, remaining, retryAfterSeconds }) => [key, used, remaining, retryAfterSeconds]),
        [
          ["d", 5, 0, 60],
          ["c {x} *", 2, 3, 0],
          ["b", 1, 4, 0],
        ],
      );
      assert.deepEqual(
        (await limiter.busiest(five, 2)).map(({ key }) => key),
        ["d", "c {x} *"],
      );
    });

    test("decides as a list of all that was accepted does, also when places are given back late", async () => {
      await decidesAsTheModel(make);
    });

    test("decides about many that ask at once as about one after the other", async () => {
      await decidesInTurn(make);
    });

    test("waiting for as long as it says is enough, a second less is not", async () => {
      await tellsTrueWaits(make);
    });

    test("draws the window of a key, and changes nothing by looking", async () => {
      await drawsTheWindow(make);
    });

    test("knows the keys that are nearest to a limit, the fullest first", async () => {
      await knowsTheBusiest(make);
    });
  });
}

type Accepted = { readonly key: string; readonly time: number; readonly decision: RateLimitDecision };

async function decidesAsTheModel(make: Make): Promise<void> {
  const step = fc.record({
    key: fc.constantFrom("a", "b", "c"),
    waitMilliseconds: fc.oneof(
      fc.constant(0),
      fc.integer({ min: 1, max: 15_000 }),
      fc.constant(windowMilliseconds / 2),
    ),
    // Seldom, so that windows fill; the oldest are often ones that have left the window.
    givesBack: fc.oneof({ weight: 5, arbitrary: fc.constant(Infinity) }, { weight: 1, arbitrary: fc.nat(8) }),
  });
  const schedules = fc.array(step, { minLength: 1, maxLength: 80 });
  const property = fc.asyncProperty(schedules, fc.integer({ min: 1, max: 6 }), async (schedule, quota) => {
    const { limiter, advance } = await make();
    let accepted: Accepted[] = [];
    let now = 0;
    for (const { key, waitMilliseconds, givesBack } of schedule) {
      now += waitMilliseconds;
      await advance(waitMilliseconds);
      const counted = accepted.filter((one) => one.key === key && now - one.time < windowMilliseconds);
      const decision = await limiter.take({ name: "some", quota, windowSeconds: 60 }, key);
      if (decision.accepted) accepted.push({ key, time: now, decision });
      assert.deepEqual(toldBy(decision), expectedDecision(counted, now, quota));
      const returned = accepted[givesBack];
      await returned?.decision.giveBack();
      accepted = accepted.filter((one) => one !== returned);
    }
    assertNeverMoreThan(quota, accepted);
  });
  await fc.assert(property, { numRuns: 100 });
}

/** Keys and limits as they come, some more often than their quota in one round. */
async function decidesInTurn(make: Make): Promise<void> {
  const limitsAsked: readonly Limit[] = [1, 2, 6].map((quota) => ({ name: `of ${quota}`, quota, windowSeconds: 60 }));
  const question = fc.record({ key: fc.constantFrom("a", "b", "c"), limit: fc.constantFrom(...limitsAsked) });
  const round = fc.record({ waitMilliseconds: fc.nat(30_000), questions: fc.array(question, { maxLength: 40 }) });
  const property = fc.asyncProperty(fc.array(round, { minLength: 1, maxLength: 12 }), async (rounds) => {
    const { limiter, advance } = await make();
    const accepted: Accepted[] = [];
    let now = 0;
    for (const { waitMilliseconds, questions } of rounds) {
      now += waitMilliseconds;
      await advance(waitMilliseconds);
      const decisions = await Promise.all(questions.map(async ({ key, limit }) => limiter.take(limit, key)));
      for (const [index, { key, limit }] of questions.entries()) {
        const decision = decisions[index];
        assert.ok(decision);
        const whole = `${limit.name}: ${key}`;
        const counted = accepted.filter((one) => one.key === whole && now - one.time < windowMilliseconds);
        assert.deepEqual(toldBy(decision), expectedDecision(counted, now, limit.quota));
        if (decision.accepted) accepted.push({ key: whole, time: now, decision });
      }
    }
  });
  await fc.assert(property, { numRuns: 60 });
}

/** What callers read; a limiter may know more of its own decision. */
function toldBy({ accepted, remaining, resetSeconds, retryAfterSeconds }: RateLimitDecision): Record<string, unknown> {
  return { accepted, remaining, resetSeconds, retryAfterSeconds };
}

function expectedDecision(counted: readonly Accepted[], now: number, quota: number): Record<string, unknown> {
  const accepted = counted.length < quota;
  const freeInMilliseconds = (counted[0]?.time ?? now) + windowMilliseconds - now;
  return {
    accepted,
    remaining: accepted ? quota - counted.length - 1 : 0,
    resetSeconds: Math.ceil(freeInMilliseconds / 1000),
    retryAfterSeconds: accepted ? 0 : Math.ceil(freeInMilliseconds / 1000),
  };
}

/** The promise itself, apart from the model. */
function assertNeverMoreThan(quota: number, accepted: readonly Accepted[]): void {
  for (const { key, time: end } of accepted) {
    const within = accepted.filter((one) => one.key === key && one.time <= end && end - one.time < windowMilliseconds);
    assert.ok(within.length <= quota, `${within.length} accepted in the window that ends at ${end}`);
  }
}

async function tellsTrueWaits(make: Make): Promise<void> {
  const waits = fc.array(fc.integer({ min: 0, max: 40_000 }), { minLength: 1, maxLength: 40 });
  const property = fc.asyncProperty(waits, fc.integer({ min: 1, max: 6 }), async (schedule, quota) => {
    const { limiter, advance } = await make();
    const limit: Limit = { name: "some", quota, windowSeconds: 60 };
    for (const milliseconds of schedule) {
      await advance(milliseconds);
      const refused = await limiter.take(limit, "a");
      if (refused.accepted) continue;
      assert.ok(refused.retryAfterSeconds >= 1);
      await advance((refused.retryAfterSeconds - 1) * 1000);
      assert.equal((await limiter.take(limit, "a")).accepted, false, "a second less");
      await advance(1000);
      assert.equal((await limiter.take(limit, "a")).accepted, true, "as long as it said");
    }
  });
  await fc.assert(property, { numRuns: 60 });
}

async function drawsTheWindow(make: Make): Promise<void> {
  const { limiter, advance } = await make();
  const unseen = { key: "a", used: 0, remaining: 5, retryAfterSeconds: 0, agesMilliseconds: [] };
  assert.deepEqual(await limiter.inspect(five, "a"), unseen);
  for (let count = 0; count < 4; count += 1) {
    await limiter.take(five, "a");
    await advance(10_000);
  }
  const drawn = { ...unseen, used: 4, remaining: 1, agesMilliseconds: [10_000, 20_000, 30_000, 40_000] };
  assert.deepEqual(await limiter.inspect(five, "a"), drawn);
  assert.deepEqual(await limiter.inspect(five, "a"), drawn, "looked at, not counted");
  assert.deepEqual(await limiter.inspect({ ...five, name: "other" }, "a"), unseen, "another limit's is its own");
  const last = await limiter.take(five, "a");
  const full = {
    ...drawn,
    used: 5,
    remaining: 0,
    retryAfterSeconds: 20,
    agesMilliseconds: [0, ...drawn.agesMilliseconds],
  };
  assert.deepEqual(await limiter.inspect(five, "a"), full);
  assert.equal((await limiter.take(five, "a")).retryAfterSeconds, 20, "what the refused one is told");
  assert.deepEqual(await limiter.inspect(five, "a"), full, "a refused one is not in the window");
  await advance(20_000);
  const aged = {
    ...full,
    used: 4,
    remaining: 1,
    retryAfterSeconds: 0,
    agesMilliseconds: [20_000, 30_000, 40_000, 50_000],
  };
  assert.deepEqual(await limiter.inspect(five, "a"), aged, "the oldest has left");
  await last.giveBack();
  assert.deepEqual((await limiter.inspect(five, "a")).agesMilliseconds, [30_000, 40_000, 50_000]);
  await advance(60_000);
  assert.deepEqual(await limiter.inspect(five, "a"), unseen);
}

async function knowsTheBusiest(make: Make): Promise<void> {
  const { limiter, advance } = await make();
  assert.deepEqual(await limiter.busiest(five, 10), []);
  for (let count = 0; count < 5; count += 1) await limiter.take(five, "idle by then");
  await advance(windowMilliseconds / 2);
  const takes = { one: 1, "all/five": 6, three: 3, two: 2 };
  for (const [key, count] of Object.entries(takes)) {
    for (let taken = 0; taken < count; taken += 1) await limiter.take(five, key);
  }
  await limiter.take({ ...five, name: "other" }, "of another limit");
  await advance(windowMilliseconds / 2);
  const busiest = await limiter.busiest(five, 3);
  assert.deepEqual(busiest, [
    { key: "all/five", used: 5, remaining: 0, retryAfterSeconds: 30 },
    { key: "three", used: 3, remaining: 2, retryAfterSeconds: 0 },
    { key: "two", used: 2, remaining: 3, retryAfterSeconds: 0 },
  ]);
  assert.equal((await limiter.busiest(five, 10)).length, 4);
}
