import { gates } from "../../contract/gates.ts";
import type { Platform } from "../../platform/platform.ts";
import { latencyBoundsSeconds, type Metrics } from "../../platform/telemetry/metrics.ts";
import { minuteMilliseconds } from "./overview-store.ts";

/** How often something happened, by name: `signUps`, `requests/none`, `requests/limit`, `latency/3`, … */
export type Counts = ReadonlyMap<string, number>;

/** What cannot be written for so long is given up. */
const minutesPendingMax = 60;

export type Activity = {
  /** Takes what was counted since the last time into the minute that is now. */
  readonly collect: () => Promise<void>;
  /** What was collected and is not written yet, by minute since the epoch: a copy. */
  readonly pending: () => ReadonlyMap<number, Counts>;
  /** So much has been written. */
  readonly settle: (written: ReadonlyMap<number, Counts>) => void;
};

/** The counters of this process, cut into minutes. They count in memory, so nothing on a request's path waits. */
export function createActivity({ clock, metrics }: Pick<Platform, "clock" | "metrics">): Activity {
  const pending = new Map<number, Map<string, number>>();
  let taken: Counts = new Map();
  return {
    collect: async () => {
      const now = await readCounts(metrics);
      const before = taken;
      taken = now;
      const minute = Math.floor(clock.now() / minuteMilliseconds);
      for (const [name, count] of now) add(pending, minute, name, count - (before.get(name) ?? 0));
      for (const old of pending.keys()) if (old <= minute - minutesPendingMax) pending.delete(old);
    },
    pending: () => new Map([...pending].map(([minute, counts]) => [minute, new Map(counts)])),
    settle: (written) => {
      for (const [minute, counts] of written) {
        for (const [name, count] of counts) add(pending, minute, name, -count);
      }
    },
  };
}

function add(pending: Map<number, Map<string, number>>, minute: number, name: string, difference: number): void {
  const counts = pending.get(minute) ?? new Map<string, number>();
  const count = (counts.get(name) ?? 0) + difference;
  if (count > 0) counts.set(name, count);
  else counts.delete(name);
  if (counts.size > 0) pending.set(minute, counts);
  else pending.delete(minute);
}

async function readCounts(metrics: Metrics): Promise<Counts> {
  const counts = new Map<string, number>();
  for (const { labels, value } of (await metrics.requests.get()).values) {
    addTo(counts, `requests/${labels.refused_by}`, value);
  }
  for (const { labels, value } of (await metrics.refreshes.get()).values) {
    counts.set(`refreshes/${labels.outcome}`, value);
  }
  for (const name of ["signUps", "signIns", "wrongPasswords"] as const) {
    counts.set(name, (await metrics[name].get()).values[0]?.value ?? 0);
  }
  let below = 0;
  for (const { labels, value, metricName } of (await metrics.requestSeconds.get()).values) {
    if (metricName !== "tollgate_request_duration_seconds_bucket") continue;
    // Prometheus counts with each bucket all those below it, and the buckets of a route follow one another.
    const bound = latencyBoundsSeconds.indexOf(Number((labels as { readonly le?: unknown }).le));
    if (bound === 0) below = 0;
    addTo(counts, `latency/${bound === -1 ? latencyBoundsSeconds.length : bound}`, value - below);
    below = value;
  }
  return counts;
}

function addTo(counts: Map<string, number>, name: string, count: number): void {
  counts.set(name, (counts.get(name) ?? 0) + count);
}

export const requestNames = ["none", ...gates].map((gate) => `requests/${gate}`);
