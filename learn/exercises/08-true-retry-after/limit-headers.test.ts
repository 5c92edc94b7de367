import assert from "node:assert/strict";
import { test } from "node:test";
import { limitHeaders, type Limit } from "./limit-headers.ts";

const limit: Limit = { name: "limited", quota: 5, windowSeconds: 60 };
const start = 1_000_000;

/** Accepted requests, each told by its age in seconds. */
function headersAfter(agesSeconds: readonly number[], of: Limit = limit): Record<string, string> {
  const times = agesSeconds.map((age) => start - age * 1000).sort((one, two) => one - two);
  return limitHeaders(of, times, start);
}

test("the policy tells the rule", () => {
  assert.equal(
    headersAfter([])["RateLimit-Policy"],
    '"limited";q=5;w=60',
    "The policy is the limit's name, quota and window.",
  );
});

test("nothing was asked yet", () => {
  const { RateLimit: state } = headersAfter([]);
  assert.equal(
    state,
    '"limited";r=5;t=0',
    "Without a request in the window all places are free, and nothing will leave it.",
  );
});

test("t tells when the oldest request leaves the window", () => {
  const { RateLimit: state } = headersAfter([18, 10]);
  assert.equal(
    state,
    '"limited";r=3;t=42',
    "The oldest request is 18 seconds old, so it leaves in 42; three more would be accepted.",
  );
});

test("Retry-After is there only when nothing would be accepted", () => {
  const free = headersAfter([18, 10])["Retry-After"];
  assert.equal(free, undefined, `Three requests would be accepted now, and Retry-After says to wait ${free} seconds.`);
});

test("it says when the next place is free", () => {
  const wait = headersAfter([50, 40, 30, 20, 10])["Retry-After"];
  assert.equal(wait, "10", `The oldest of five requests leaves in 10 seconds; Retry-After says ${wait}.`);
});

test("parts of a second are rounded up", () => {
  const wait = headersAfter([50.2, 1, 1, 1, 1])["Retry-After"];
  assert.equal(
    wait,
    "10",
    `A place is free in 9.8 seconds. Retry-After says ${wait}; after 9 seconds it would be too early.`,
  );
});

test("a smaller quota: more than one must leave", () => {
  const { RateLimit: state, "Retry-After": wait } = headersAfter([50, 40, 30, 20, 10], { ...limit, quota: 3 });
  assert.equal(state, '"limited";r=0;t=10', "Five are in a window for three: nothing is left, which is 0 and not -2.");
  assert.equal(
    wait,
    "30",
    `Only when three of the five have left is a place free, in 30 seconds; Retry-After says ${wait}.`,
  );
});

test("waiting so long is enough, and a second less is not", () => {
  for (let quota = 1; quota <= 6; quota += 1) {
    for (let spread = 1; spread < 9_900; spread += 97) {
      const accepted = Array.from({ length: 6 }, (_, index) => start - (6 - index) * spread);
      const wait = Number(limitHeaders({ ...limit, quota }, accepted, start)["Retry-After"]);
      const placesAfter = (seconds: number): number =>
        quota - accepted.filter((time) => start + seconds * 1000 - time < 60_000).length;
      const said = `With the quota ${quota} and a request every ${spread} ms, Retry-After says ${wait}`;
      assert.ok(placesAfter(wait) > 0, `${said}; after that no place is free.`);
      assert.ok(placesAfter(wait - 1) <= 0, `${said}; a second earlier would have been enough.`);
    }
  }
});
