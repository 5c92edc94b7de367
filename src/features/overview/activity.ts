import { gates } from "../../contract/gates.ts";
import type { Platform } from "../../platform/platform.ts";
import { latencyBoundsSeconds, type Metrics } from "../../platform/telemetry/metrics.ts";

/** How often something happened, by name: `sign-ups`, `requests/none`, `requests/limit`, `latency/3`, … */
export type Counts = ReadonlyMap<string, number>;

export const minuteMilliseconds = 60_000;
/** What cannot be written for so long is given up. */
const minutesPendingMax = 60;

export type Activity = {
  /** Takes what was counted since the last time into the minute that is now. */
  readonly collect: () => Promise<void>;
  /** What was collected and is not written yet, by minute since the epoch. */
  readonly pending: () => ReadonlyMap<number, Counts>;
  /** These minutes have been written. */
  readonly settle: (written: ReadonlyMap<number, Counts>) => void;
};

/** The counters of this process, cut into minutes. They count in memory, and nothing on a request's path waits. */
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
    pending: () => pending,
    settle: (written) => {
      for (const [minute, counts] of written) {
        for (const [name, count] of counts) add(pending, minute, name, -count);
      }
    },
  };
}

function add(pending: Map<number, Map<string, number>>, minute: number, name: string, difference: number): void {
  if (difference === 0) return;
  const counts = pending.get(minute) ?? new Map<string, number>();
  pending.set(minute, counts);
  const count = (counts.get(name) ?? 0) + difference;
  if (count > 0) counts.set(name, count);
  else counts.delete(name);
  if (counts.size === 0) pending.delete(minute);
}

async function readCounts(metrics: Metrics): Promise<Counts> {
  const counts = new Map<string, number>();
  const [requests, latency, refreshes, signUps, signIns, wrongPasswords] = await Promise.all([
    metrics.requests.get(),
    metrics.requestSeconds.get(),
    metrics.refreshes.get(),
    metrics.signUps.get(),
    metrics.signIns.get(),
    metrics.wrongPasswords.get(),
  ]);
  for (const { labels, value } of requests.values) counts.set(`requests/${labels.refused_by}`, value);
  for (const { labels, value } of refreshes.values) counts.set(`refreshes/${labels.outcome}`, value);
  for (const [name, { values }] of Object.entries({ signUps, signIns, wrongPasswords })) {
    counts.set(name, values[0]?.value ?? 0);
  }
  let below = 0;
  for (const { labels, value, metricName } of latency.values) {
    if (!metricName?.endsWith("_bucket")) continue;
    // Prometheus counts each bucket with all those below it.
    const index =
      labels["le"] === "+Inf" ? latencyBoundsSeconds.length : latencyBoundsSeconds.indexOf(Number(labels["le"]));
    counts.set(`latency/${index}`, value - below);
    below = value;
  }
  return counts;
}

export const requestNames = ["none", ...gates].map((gate) => `requests/${gate}`);
