import type { Clock } from "../clock.ts";
import type { Metrics } from "./metrics.ts";
import type { Tracing } from "./tracing.ts";

/** The parts of the server whose work is timed, by what a request waits for. */
export type MeasuredPart = "database" | "hash";

/** Does the work, and notes how long it took. */
export type Measure = <T>(part: MeasuredPart, what: string, work: () => Promise<T>) => Promise<T>;

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
  return async (part, what, work) => {
    const startedAt = realClock.monotonicNow();
    try {
      return await (tracing ? tracing.part(`${part} ${what}`, work) : work());
    } finally {
      observe[part](what, (realClock.monotonicNow() - startedAt) / 1000);
    }
  };
}
