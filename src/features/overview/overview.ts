import { gates } from "../../contract/gates.ts";
import type { Platform } from "../../platform/platform.ts";
import { watchEventLoopDelay, type EventLoopDelay } from "../../platform/telemetry/event-loop-delay.ts";
import { refreshOutcomes } from "../../platform/telemetry/metrics.ts";
import { createActivity, requestNames, type Activity, type Counts } from "./activity.ts";
import { latencyMilliseconds } from "./latency.ts";
import {
  addActivity,
  forgetOldActivity,
  type Minutes,
  minuteMilliseconds,
  readActivity,
  type Totals,
} from "./overview-store.ts";
import { createTotals } from "./totals.ts";

/** How far back, and in which steps. */
export const periods = {
  hour: { steps: 60, minutes: 1 },
  day: { steps: 96, minutes: 15 },
} as const satisfies Record<string, { steps: number; minutes: Minutes }>;
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
  readonly eventLoopDelay: EventLoopDelay["read"];
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
  const totals = createTotals(platform);
  const oneAfterTheOther = createTurnstile();
  const write = (): Promise<void> => oneAfterTheOther(() => writeActivity(platform, activity));
  return {
    eventLoopDelay: eventLoopDelay.read,
    read: async (period) => ({
      totals: await totals(),
      uptimeSeconds: Math.floor((clock.monotonicNow() - startedAt) / 1000),
      eventLoopDelay: eventLoopDelay.read(),
      ...(await oneAfterTheOther(() => readPoints(platform, activity, period))),
    }),
    flush: async () => {
      eventLoopDelay.turn();
      await write();
      await forgetOldActivity(platform);
    },
    close: async () => {
      eventLoopDelay.stop();
      await write();
    },
  };
}

/** What is being written is counted neither twice nor not at all: nobody reads meanwhile. */
function createTurnstile(): <R>(work: () => Promise<R>) => Promise<R> {
  let before: Promise<unknown> = Promise.resolve();
  return (work) => {
    const result = before.then(work);
    before = result.catch(() => undefined);
    return result;
  };
}

async function writeActivity(platform: Pick<Platform, "db">, activity: Activity): Promise<void> {
  await activity.collect();
  const pending = activity.pending();
  await addActivity(platform, pending);
  activity.settle(pending); // Not reached when it failed: the next time tries again.
}

async function readPoints(
  { clock, db }: Pick<Platform, "clock" | "db">,
  activity: Activity,
  period: Period,
): Promise<Pick<Overview, "stepSeconds" | "points" | "sums">> {
  const { steps, minutes } = periods[period];
  const stepMilliseconds = minutes * minuteMilliseconds;
  await activity.collect();
  const first = (Math.floor(clock.now() / stepMilliseconds) - steps + 1) * stepMilliseconds;
  const written = await readActivity({ db }, minutes, first);
  const all = new Map<string, number>();
  const points = Array.from({ length: steps }, (_, index) => {
    const startsAt = first + index * stepMilliseconds;
    const counts = new Map(written.get(startsAt));
    for (const [minute, some] of activity.pending()) {
      if (Math.floor(minute / minutes) * stepMilliseconds === startsAt) addCounts(counts, some);
    }
    addCounts(all, counts);
    return { startsAt, ...figuresOf(counts) };
  });
  return { stepSeconds: stepMilliseconds / 1000, points, sums: figuresOf(all) };
}

function addCounts(sums: Map<string, number>, counts: Counts): void {
  for (const [name, count] of counts) sums.set(name, (sums.get(name) ?? 0) + count);
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
