/** Resolves when it is the caller's turn. */
export type Pace = () => Promise<void>;

/**
 * Lets so many through in each turn of the event loop; the others wait for the next turns, in the order of arrival. When
 * hundreds come at once, all else that the process does goes on between them.
 *
 * Those who wait are requests under way: there are no more of them than there are connections.
 */
export function createPace(perTurn: number): Pace {
  let waiting: (() => void)[] = [];
  let passed = 0;
  let isTurning = false;

  function turn(): void {
    const now = waiting.slice(0, perTurn);
    waiting = waiting.slice(perTurn);
    passed = now.length;
    isTurning = passed > 0;
    if (isTurning) setImmediate(turn);
    for (const pass of now) pass();
  }

  return () => {
    if (!isTurning) setImmediate(turn);
    isTurning = true;
    if (waiting.length === 0 && passed < perTurn) {
      passed += 1;
      return Promise.resolve();
    }
    const { promise, resolve } = Promise.withResolvers<void>();
    waiting.push(resolve);
    return promise;
  };
}
