import { monitorEventLoopDelay } from "node:perf_hooks";

const resolutionMilliseconds = 20;
const samplesMin = 50;

export type EventLoopDelay = {
  /** How late timers were of late: what every request waits in addition when something blocks the process. */
  readonly read: () => { readonly p50Milliseconds: number; readonly p99Milliseconds: number };
  /** Begins anew, and forgets what was before the last time. Call it every few seconds. */
  readonly turn: () => void;
  readonly stop: () => void;
};

export function watchEventLoopDelay(): EventLoopDelay {
  const histogram = monitorEventLoopDelay({ resolution: resolutionMilliseconds });
  histogram.enable();
  // What is measured is the time from one tick to the next, so an idle loop shows the resolution itself.
  const lateness = (percentile: number): number =>
    Math.max(0, histogram.percentile(percentile) / 1e6 - resolutionMilliseconds);
  const figures = (): ReturnType<EventLoopDelay["read"]> => ({
    p50Milliseconds: lateness(50),
    p99Milliseconds: lateness(99),
  });
  let former = figures();
  return {
    read: () => (histogram.count < samplesMin ? former : figures()),
    turn: () => {
      former = figures();
      histogram.reset();
    },
    stop: () => void histogram.disable(),
  };
}
