import { afterPatience } from "../patience.ts";

/**
 * Few connections, many callers: each waits for its turn, first come, first served. SQLite has one connection.
 *
 * Kysely and pg have queues of their own, but no bound on their length, and Kysely's none in time. Here a query that
 * asks for a turn inside somebody's transaction, or its own, gives up after a while, so that the one bug that could
 * stop the whole server (using the outer `db` inside `inTransaction`) heals itself and says what it was.
 *
 * A burst is served, as long as turns go on ending well. When none does for a while, the database hangs: all who wait
 * are refused, and who comes later is refused at once, until a turn ends well again.
 */
export type Turns = {
  /** Resolves when the caller's turn has come. Rejects with {@link TurnRefused}. */
  readonly take: () => Promise<void>;
  /** Ends the turn: the next one begins. `badly` when the database did not answer in it. */
  readonly give: (ended?: "well" | "badly") => void;
  /** Whether nobody has a turn now: what takes no time may be done without one. */
  readonly areFree: () => boolean;
  /** Whether somebody waits: whoever does begins with the next `give`. */
  readonly areAwaited: () => boolean;
};

/** No turn in time, or too many in the queue already. To a client this is a database that cannot be reached. */
export class TurnRefused extends Error {
  override readonly name = "TurnRefused";
}

export type TurnBounds = {
  readonly atOnce: number;
  readonly waitingMax: number;
  readonly waitMillisecondsMax: number;
  /** For how long no turn may end well while somebody waits. Left out where a turn cannot hang. */
  readonly stallMillisecondsMax?: number;
};

type Waiting = { readonly begin: () => void; readonly refuse: (why: string) => void };

export function createTurns({ atOnce, waitingMax, waitMillisecondsMax, stallMillisecondsMax }: TurnBounds): Turns {
  // A Set keeps the order of arrival, and a caller that gives up leaves the middle of it cheaply.
  const queue = new Set<Waiting>();
  let taken = 0;
  let isStalled = false;
  let stopWatching = (): void => undefined;

  function watchForStall(): void {
    stopWatching();
    if (stallMillisecondsMax === undefined || queue.size === 0) return;
    stopWatching = afterPatience(stallMillisecondsMax, () => {
      isStalled = true;
      for (const { refuse } of queue) refuse(`The database answered nobody within ${stallMillisecondsMax} ms.`);
    });
  }

  function join(): Promise<void> {
    if (queue.size >= waitingMax) {
      return Promise.reject(new TurnRefused(`${queue.size} queries wait for the database already.`));
    }
    if (isStalled) return Promise.reject(new TurnRefused("The database answers nobody at present."));
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        clearTimeout(timer);
        queue.delete(waiting);
        if (queue.size === 0) watchForStall();
      };
      const refuse = (why: string): void => {
        leave();
        reject(new TurnRefused(why));
      };
      const begin = (): void => {
        leave();
        resolve();
      };
      const waiting: Waiting = { begin, refuse };
      const timer = setTimeout(() => refuse(tooLate(waitMillisecondsMax)), waitMillisecondsMax);
      queue.add(waiting);
      if (queue.size === 1) watchForStall();
    });
  }

  return {
    take: () => {
      if (taken >= atOnce) return join();
      if (taken === 0) isStalled = false; // Nothing is under way that could hang.
      taken += 1;
      return Promise.resolve();
    },
    give: (ended = "well") => {
      if (ended === "well") {
        isStalled = false;
        watchForStall();
      }
      const [next] = queue;
      if (next === undefined) taken -= 1;
      else next.begin();
    },
    areFree: () => taken === 0,
    areAwaited: () => queue.size > 0,
  };
}

function tooLate(waitMilliseconds: number): string {
  return (
    `The database was not free within ${waitMilliseconds} ms: a transaction takes too long, ` +
    "or its work uses the db outside it instead of the one it was given."
  );
}
