import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { latencyBoundsSeconds } from "../../platform/telemetry/metrics.ts";
import { latencyMilliseconds } from "./latency.ts";

/** Counts as the histogram would have them. */
function countsOf(millisecondsOfAll: readonly number[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const milliseconds of millisecondsOfAll) {
    const bound = latencyBoundsSeconds.findIndex((seconds) => milliseconds / 1000 <= seconds);
    const name = `latency/${bound === -1 ? latencyBoundsSeconds.length : bound}`;
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return counts;
}

test("nothing has no latency, and one answer has its bucket's", () => {
  assert.equal(latencyMilliseconds(new Map(), 0.5), null);
  assert.equal(latencyMilliseconds(countsOf([0.7]), 1), 1);
  assert.equal(latencyMilliseconds(countsOf([0.1]), 1), 0.25);
  assert.equal(latencyMilliseconds(countsOf([60_000]), 0.5), 16_384, "beyond the last bound only that it is beyond");
});

test("a share of the answers took so long at most, right to the bucket it falls into", () => {
  const times = fc.array(fc.double({ min: 0.01, max: 16_000, noNaN: true }), { minLength: 1, maxLength: 200 });
  const property = fc.property(times, fc.constantFrom(0.01, 0.5, 0.9, 0.99, 1), (all, share) => {
    const exact = all.toSorted((one, other) => one - other)[Math.ceil(share * all.length) - 1] ?? 0;
    const told = latencyMilliseconds(countsOf(all), share) ?? -1;
    const upper = latencyBoundsSeconds.find((seconds) => exact / 1000 <= seconds) ?? 0;
    const lower = latencyBoundsSeconds[latencyBoundsSeconds.indexOf(upper) - 1] ?? 0;
    assert.ok(told >= lower * 1000 - 0.001 && told <= upper * 1000 + 0.001, `${told} for ${exact}`);
  });
  fc.assert(property);
});
