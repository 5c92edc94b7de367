import assert from "node:assert/strict";
import { test } from "node:test";
import { mostInAnyWindow, underFixedWindow } from "./windows.ts";

const limit = { quota: 5, windowMilliseconds: 60_000, firstBorder: 10_000 };
const burst = (at: number): { at: number }[] => Array.from({ length: 5 }, (_, index) => ({ at: at + index * 10 }));

test("a fixed window lets twice as many through around its border", () => {
  const shots = underFixedWindow([...burst(9_000), ...burst(11_000)], limit);
  assert.ok(shots.every(({ accepted }) => accepted));
  assert.equal(mostInAnyWindow(shots, limit.windowMilliseconds), 10);
});

test("within one window it refuses what is too much", () => {
  const shots = underFixedWindow([...burst(11_000), { at: 60_000 }, { at: 70_001 }], limit);
  assert.deepEqual(
    shots.map(({ accepted }) => accepted),
    [true, true, true, true, true, false, true],
  );
  assert.equal(mostInAnyWindow(shots, limit.windowMilliseconds), 6, "the fifth of a burst and a new window's first");
});

test("no requests, none accepted", () => {
  assert.equal(mostInAnyWindow([], limit.windowMilliseconds), 0);
  assert.deepEqual(underFixedWindow([], limit), []);
});
