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
export function withPatience<T>(milliseconds: number, work: Promise<T>, tooLate: () => Error): Promise<T> {
  // Every limit in Redis waits so: it makes two promises, where an async function with a `finally` makes five.
  return new Promise((resolve, reject) => {
    const callOff = afterPatience(milliseconds, () => reject(tooLate()));
    const calledOff =
      <Answer>(settle: (answer: Answer) => void) =>
      (answer: Answer): void => {
        callOff();
        settle(answer);
      };
    work.then(calledOff(resolve), calledOff(reject));
  });
}
