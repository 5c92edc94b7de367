import assert from "node:assert/strict";
import { test } from "node:test";
import { createMemoryRateLimiter } from "../../../src/platform/rate-limit/memory-rate-limiter.ts";
import { createLimiter, type Limiter } from "./limiter.ts";

/** A limiter of 5 in 60 s, with a clock to turn. Begins one second before a full minute. */
function setUp(quota = 5): { limiter: Limiter; pass: (milliseconds: number) => void } {
  let time = 59_000;
  const limiter = createLimiter(quota, 60, () => time);
  return {
    limiter,
    pass: (milliseconds) => {
      time += milliseconds;
    },
  };
}

/** How many of so many requests at once are accepted. */
function accepted(limiter: Limiter, count: number, key = "ada"): number {
  return Array.from({ length: count }, () => limiter.take(key)).filter(Boolean).length;
}

test("five are accepted, the sixth is not", () => {
  const { limiter } = setUp();
  assert.equal(accepted(limiter, 6), 5, "Of six requests at once, five must be accepted.");
});

test("a new minute on the clock changes nothing", () => {
  const { limiter, pass } = setUp();
  accepted(limiter, 5);
  pass(2_000);
  const more = accepted(limiter, 5);
  assert.equal(
    more,
    0,
    `Five were accepted, and two seconds later ${more} more: that is ${5 + more} within two seconds.`,
  );
});

test("a place is free exactly when its request leaves the window", () => {
  const { limiter, pass } = setUp(1);
  accepted(limiter, 1);
  pass(59_999);
  assert.equal(accepted(limiter, 1), 0, "A place was free a millisecond before its request was sixty seconds old.");
  pass(1);
  assert.equal(accepted(limiter, 1), 1, "After exactly sixty seconds the place must be free.");
});

test("places become free one by one", () => {
  const { limiter, pass } = setUp(2);
  accepted(limiter, 1);
  pass(30_000);
  accepted(limiter, 1);
  pass(30_000);
  const free = accepted(limiter, 2);
  assert.equal(free, 1, `One of two requests has left the window, so one place is free; ${free} were accepted.`);
});

test("a refused request does not count", () => {
  const { limiter, pass } = setUp();
  accepted(limiter, 5);
  for (let second = 0; second < 59; second += 1) {
    pass(1_000);
    accepted(limiter, 1);
  }
  pass(1_000);
  const free = accepted(limiter, 5);
  assert.equal(free, 5, `Somebody knocked all the time. After sixty seconds five places are free; ${free} were.`);
});

test("each key has its own window", () => {
  const { limiter } = setUp();
  accepted(limiter, 5, "ada");
  assert.equal(accepted(limiter, 1, "bob"), 1, "Ada used up her requests, and Bob was refused.");
  assert.equal(
    accepted(limiter, 1, "constructor"),
    1,
    "A key with the name of something that every object has was refused.",
  );
});

test("idle keys are forgotten", () => {
  const { limiter, pass } = setUp();
  for (let stranger = 0; stranger < 1_000; stranger += 1) limiter.take(`stranger ${stranger}`);
  pass(60_000);
  for (let request = 0; request < 1_000; request += 1) limiter.take("ada");
  const held = limiter.size();
  assert.equal(
    held,
    1,
    `A thousand strangers asked once, a minute ago; ${held} keys are still held, and one is in use.`,
  );
});

test("it decides as Tollgate does, a thousand times a thousand ways", async () => {
  let time = 0;
  let seed = 7;
  const random = (below: number): number => {
    seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
    return seed % below;
  };
  const mine = createLimiter(3, 10, () => time);
  const theirs = createMemoryRateLimiter({ monotonicNow: () => time }, { keysMax: 100 });
  for (let request = 1; request <= 5_000; request += 1) {
    time += random(4) === 0 ? random(12_000) : random(50) * 100;
    const key = `key ${random(4)}`;
    const wanted = theirs.take({ name: "limited", quota: 3, windowSeconds: 10 }, key).accepted;
    const words = wanted ? "accepts it, yours refused it" : "refuses it, yours accepted it";
    assert.equal(
      mine.take(key),
      wanted,
      `At request ${request} of ${key}, ${time} ms after the start: Tollgate ${words}.`,
    );
  }
});
