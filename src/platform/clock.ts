import { setTimeout as wait } from "node:timers/promises";

/** The time, as a port: tests turn it, and nothing outside the platform reads another. */
export type Clock = {
  /** Milliseconds since 1970-01-01T00:00:00Z. May jump when the machine's clock is set. */
  readonly now: () => number;
  /** Milliseconds since some moment. Never goes back; for windows, deadlines and durations. */
  readonly monotonicNow: () => number;
  /** Lets some time pass. */
  readonly wait: (milliseconds: number) => Promise<void>;
};

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonicNow: () => performance.now(),
  wait: async (milliseconds) => wait(milliseconds),
};

/** A moment as clients read it: RFC 3339 in UTC. */
export function timestamp(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}
