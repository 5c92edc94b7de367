import type { Clock } from "../../src/platform/clock.ts";

/** A clock that stands until it is turned. */
export type TestClock = Clock & {
  /** Time passes. */
  readonly advance: (milliseconds: number) => void;
  /** Somebody sets the machine's clock: no time passes. */
  readonly jump: (milliseconds: number) => void;
  /** What was waited for so far, in milliseconds: nobody really waits. */
  readonly waits: readonly number[];
};

export function createTestClock(startsAt = Date.UTC(2026, 0, 15, 12)): TestClock {
  let now = startsAt;
  let monotonic = 1_000;
  const waits: number[] = [];
  return {
    waits,
    wait: async (milliseconds) => void waits.push(milliseconds),
    now: () => now,
    monotonicNow: () => monotonic,
    advance: (milliseconds) => {
      now += milliseconds;
      monotonic += milliseconds;
    },
    jump: (milliseconds) => {
      now += milliseconds;
    },
  };
}
