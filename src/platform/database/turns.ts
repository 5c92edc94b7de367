/**
 * One connection, many callers: each waits for its turn, first come, first served.
 *
 * Kysely has a mutex of its own for this, but its queue has no bound in length or time, and every release
 * wakes every waiter. Here a query that asks for a turn inside somebody's transaction, or its own, gives up
 * after a while, so that the one bug that could stop the whole server (using the outer `db` inside
 * `inTransaction`) heals itself and says what it was.
 */
export type Turns = {
  /** Resolves when the caller's turn has come. Rejects with {@link TurnRefused}. */
  readonly take: () => Promise<void>;
  /** Ends the turn: the next one begins. */
  readonly give: () => void;
};

/** No turn in time, or too many in the queue already. To a client this is a database that cannot be reached. */
export class TurnRefused extends Error {
  override readonly name = "TurnRefused";
}

type Waiting = { readonly begin: () => void; readonly timer: NodeJS.Timeout };

export function createTurns(bounds: { waitingMax: number; waitMillisecondsMax: number }): Turns {
  // A Set keeps the order of arrival, and a caller that gives up leaves the middle of it cheaply.
  const queue = new Set<Waiting>();
  let taken = false;

  function join(): Promise<void> {
    if (queue.size >= bounds.waitingMax) {
      return Promise.reject(new TurnRefused(`${queue.size} queries wait for the database already`));
    }
    return new Promise((begin, reject) => {
      const timer = setTimeout(() => {
        queue.delete(waiting);
        reject(new TurnRefused(tooLate(bounds.waitMillisecondsMax)));
      }, bounds.waitMillisecondsMax);
      const waiting: Waiting = { begin, timer };
      queue.add(waiting);
    });
  }

  return {
    take: () => {
      if (taken) return join();
      taken = true;
      return Promise.resolve();
    },
    give: () => {
      const [next] = queue;
      taken = next !== undefined;
      if (next === undefined) return;
      queue.delete(next);
      clearTimeout(next.timer);
      next.begin();
    },
  };
}

function tooLate(waitMilliseconds: number): string {
  return (
    `The database was not free within ${waitMilliseconds} ms: a transaction takes too long, ` +
    "or its work uses the db outside it instead of the one it was given."
  );
}
