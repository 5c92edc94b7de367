const steps = 10;

/**
 * Calls back when this time has passed while the event loop was running, and gives back how to call it off.
 *
 * After a long computation a plain timer goes off before what came in meanwhile was read: a burst of requests would
 * find the database silent, though its answers are there. Ten short timers, each set when the last one went off, see
 * ten rounds of the loop.
 */
export function afterPatience(milliseconds: number, giveUp: () => void): () => void {
  let step = 0;
  const wait = (): NodeJS.Timeout =>
    setTimeout(() => {
      step += 1;
      if (step === steps) giveUp();
      else timer = wait();
    }, milliseconds / steps);
  let timer = wait();
  return () => clearTimeout(timer);
}

/** What the work gives; rejects with `tooLate` when it does not come within this time, see {@link afterPatience}. */
export async function withPatience<T>(milliseconds: number, work: Promise<T>, tooLate: () => Error): Promise<T> {
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  const callOff = afterPatience(milliseconds, () => reject(tooLate()));
  work.then(resolve, reject);
  return await promise.finally(callOff);
}
