import { latencyBoundsSeconds } from "../../platform/telemetry/metrics.ts";
import type { Counts } from "./activity.ts";

/**
 * How long the given share of the requests took at most, in milliseconds, from how many fell between which bounds;
 * null when there was none. Between two bounds, where one is twice the other, it is a guess along the line.
 */
export function latencyMilliseconds(counts: Counts, share: number): number | null {
  const buckets = [...latencyBoundsSeconds, Number.POSITIVE_INFINITY].map((bound, index) => ({
    bound,
    count: counts.get(`latency/${index}`) ?? 0,
  }));
  const total = buckets.reduce((sum, { count }) => sum + count, 0);
  if (total === 0) return null;
  const rank = share * total;
  let below = 0;
  let lower = 0;
  for (const { bound, count } of buckets) {
    if (below + count >= rank && count > 0) {
      const upper = Number.isFinite(bound) ? bound : lower;
      return roundMicroseconds((lower + (upper - lower) * ((rank - below) / count)) * 1000);
    }
    below += count;
    lower = bound;
  }
  throw new Error("More requests were ranked than there were.");
}

function roundMicroseconds(milliseconds: number): number {
  return Math.round(milliseconds * 1000) / 1000;
}
