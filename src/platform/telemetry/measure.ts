import type { Clock } from "../clock.ts";
import type { Metrics } from "./metrics.ts";
import type { Tracing } from "./tracing.ts";

/** The parts of the server whose work is timed, by what a request waits for. */
export type MeasuredPart = "database" | "hash";

/** Does work, and notes how long it took. */
export type Measure = {
  readonly wait: <T>(part: MeasuredPart, what: string, work: () => Promise<T>) => Promise<T>;
  /** For work that waits for nothing. Not there with traces, whose spans are made around promises. */
  readonly atOnce: (<T>(part: MeasuredPart, what: string, work: () => T) => T) | undefined;
};

export function createMeasure({
  metrics,
  realClock,
  tracing,
}: {
  readonly metrics: Metrics;
  readonly realClock: Clock;
  readonly tracing: Tracing | undefined;
}): Measure {
  const observe: Readonly<Record<MeasuredPart, (what: string, seconds: number) => void>> = {
    database: (statement, seconds) => metrics.databaseSeconds.observe({ statement }, seconds),
    hash: (task, seconds) => metrics.hashSeconds.observe({ task }, seconds),
  };
  const secondsSince = (startedAt: number): number => (realClock.monotonicNow() - startedAt) / 1000;
  return {
    wait: async (part, what, work) => {
      const startedAt = realClock.monotonicNow();
      try {
        return await (tracing ? tracing.part(`${part} ${what}`, work) : work());
      } finally {
        observe[part](what, secondsSince(startedAt));
      }
    },
    atOnce: tracing
      ? undefined
      : (part, what, work) => {
          const startedAt = realClock.monotonicNow();
          try {
            return work();
          } finally {
            observe[part](what, secondsSince(startedAt));
          }
        },
  };
}
