import { gates } from "../../contract/gates.ts";
import type { Platform } from "../../platform/platform.ts";
import { watchEventLoopDelay, type EventLoopDelay } from "../../platform/telemetry/event-loop-delay.ts";
import { refreshOutcomes } from "../../platform/telemetry/metrics.ts";
import { createActivity, minuteMilliseconds, requestNames, type Activity, type Counts } from "./activity.ts";
import { latencyMilliseconds } from "./latency.ts";
import { countTotals, type Totals } from "./overview-store.ts";

/** How far back, and in which steps. */
export const periods = {
  hour: { steps: 60, minutesPerStep: 1 },
  day: { steps: 96, minutesPerStep: 15 },
} as const;
export type Period = keyof typeof periods;

export type Figures = {
  readonly signUps: number;
  readonly signIns: number;
  readonly wrongPasswords: number;
  readonly requests: number;
  readonly refusals: Readonly<Record<string, number>>;
  readonly refreshes: Readonly<Record<string, number>>;
  readonly latencyP50Milliseconds: number | null;
  readonly latencyP99Milliseconds: number | null;
};

export type Overview = {
  readonly totals: Totals;
  readonly uptimeSeconds: number;
  readonly eventLoopDelay: ReturnType<EventLoopDelay["read"]>;
  readonly stepSeconds: number;
  /** Oldest first, without gaps; the last one is not over yet. */
  readonly points: readonly (Figures & { readonly startsAt: number })[];
  readonly sums: Figures;
};

export type OverviewReader = {
  readonly read: (period: Period) => Promise<Overview>;
  /** Writes what was counted; call it every few seconds. */
  readonly flush: () => Promise<void>;
  /** Writes the rest and stops measuring. */
  readonly close: () => Promise<void>;
};

export function openOverview(platform: Platform): OverviewReader {
  const { clock } = platform;
  const startedAt = clock.monotonicNow();
  const activity = createActivity(platform);
  const eventLoopDelay = watchEventLoopDelay();
  return {
    read: async (period) => ({
      totals: await countTotals(platform),
      uptimeSeconds: Math.floor((clock.monotonicNow() - startedAt) / 1000),
      eventLoopDelay: eventLoopDelay.read(),
      ...(await readPoints(platform, activity, period)),
    }),
    flush: async () => {
      eventLoopDelay.turn();
      await activity.collect();
    },
    close: async () => {
      eventLoopDelay.stop();
    },
  };
}

async function readPoints(
  { clock }: Pick<Platform, "clock">,
  activity: Activity,
  period: Period,
): Promise<Pick<Overview, "stepSeconds" | "points" | "sums">> {
  const { steps, minutesPerStep } = periods[period];
  const stepMilliseconds = minutesPerStep * minuteMilliseconds;
  await activity.collect();
  const lastStep = Math.floor(clock.now() / stepMilliseconds);
  const firstStep = lastStep - steps + 1;
  const byStep = new Map<number, Map<string, number>>();
  for (const [minute, counts] of activity.pending()) addCounts(byStep, Math.floor(minute / minutesPerStep), counts);
  const all = new Map<number, Map<string, number>>();
  const points = Array.from({ length: steps }, (_, index) => {
    const counts: Counts = byStep.get(firstStep + index) ?? new Map();
    addCounts(all, 0, counts);
    return { startsAt: (firstStep + index) * stepMilliseconds, ...figuresOf(counts) };
  });
  return { stepSeconds: stepMilliseconds / 1000, points, sums: figuresOf(all.get(0) ?? new Map()) };
}

function addCounts(sums: Map<number, Map<string, number>>, at: number, counts: Counts): void {
  const sum = sums.get(at) ?? new Map<string, number>();
  sums.set(at, sum);
  for (const [name, count] of counts) sum.set(name, (sum.get(name) ?? 0) + count);
}

function figuresOf(counts: Counts): Figures {
  const count = (name: string): number => counts.get(name) ?? 0;
  return {
    signUps: count("signUps"),
    signIns: count("signIns"),
    wrongPasswords: count("wrongPasswords"),
    requests: requestNames.reduce((sum, name) => sum + count(name), 0),
    refusals: Object.fromEntries(gates.map((gate) => [gate, count(`requests/${gate}`)])),
    refreshes: Object.fromEntries(refreshOutcomes.map((outcome) => [outcome, count(`refreshes/${outcome}`)])),
    latencyP50Milliseconds: latencyMilliseconds(counts, 0.5),
    latencyP99Milliseconds: latencyMilliseconds(counts, 0.99),
  };
}
