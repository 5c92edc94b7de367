import type { Clock } from "./clock.ts";

/** A clock that can be set ahead, in development only: so that a person can see a token expire without waiting. */
export type TurnableClock = Clock & {
  readonly advance: (milliseconds: number) => void;
  /** Back to real time. */
  readonly reset: () => void;
  readonly offsetMilliseconds: () => number;
  /** How far ahead both times are, in milliseconds: for the clock of another process to be turned alike. */
  readonly offsets: () => { readonly time: number; readonly monotonic: number };
  readonly turnTo: (offsets: ReturnType<TurnableClock["offsets"]>) => void;
};

/**
 * Both times go ahead, so that tokens expire and limits age alike. Only the time of day comes back: monotonic time
 * never does, or a window would hold requests of the future.
 */
export function createTurnableClock(clock: Clock): TurnableClock {
  let offset = 0;
  let monotonicOffset = 0;
  return {
    now: () => clock.now() + offset,
    monotonicNow: () => clock.monotonicNow() + monotonicOffset,
    wait: (milliseconds) => clock.wait(milliseconds),
    advance: (milliseconds) => {
      offset += milliseconds;
      monotonicOffset += milliseconds;
    },
    reset: () => {
      offset = 0;
    },
    offsetMilliseconds: () => offset,
    offsets: () => ({ time: offset, monotonic: monotonicOffset }),
    turnTo: ({ time, monotonic }) => {
      offset = time;
      monotonicOffset = Math.max(monotonicOffset, monotonic);
    },
  };
}
