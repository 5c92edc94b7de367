import type { Logger } from "pino";

/** Stops the repetition and waits for the work that is under way. */
export type Stop = () => Promise<void>;

/** Does some work every so many seconds, never twice at once; a failure is logged and the next time comes all the same. */
export function repeat(everySeconds: number, work: () => Promise<void>, log: Logger): Stop {
  let underWay: Promise<void> | undefined;
  const timer = setInterval(() => {
    underWay ??= work()
      .catch((error: unknown) => log.warn({ err: error }, "work in the background failed"))
      .finally(() => (underWay = undefined));
  }, everySeconds * 1000).unref();
  return async () => {
    clearInterval(timer);
    await underWay;
  };
}
