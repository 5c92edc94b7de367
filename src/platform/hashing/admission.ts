import { Problem } from "../../contract/problems.ts";

/** `slots` pieces of work at once, `queueMax` waiting in order; an answer or a refusal within the deadline. */
export type AdmissionBounds = {
  readonly slots: number;
  readonly queueMax: number;
  readonly deadlineMilliseconds: number;
};

export type Admission = {
  /** Rejects with `Problem("busy")` at once when there is no place, and at the deadline. */
  readonly run: <T>(work: () => Promise<T>) => Promise<T>;
  readonly stats: () => {
    readonly running: number;
    readonly queued: number;
    readonly completed: number;
    readonly refused: number;
  };
  /** Lets nobody in from now on; resolves when all who were let in are done. */
  readonly close: () => Promise<void>;
};

type Waiting = { readonly start: () => void };

/**
 * Who may use the hash threads, and who is told to come back.
 *
 * The queue is here and not in piscina, because piscina does not tell waiting tasks from running ones: at the deadline
 * a waiting one is dropped, but a running one keeps its slot until its thread is really free; only its caller leaves.
 */
export function createAdmission(bounds: AdmissionBounds): Admission {
  const waiting = new Set<Waiting>(); // In the order of arrival.
  let running = 0;
  let completed = 0;
  let refused = 0;
  let closing: PromiseWithResolvers<void> | undefined;

  function busy(reason: string): Problem {
    refused += 1;
    return new Problem("busy", { headers: { "Retry-After": "1" }, cause: new Error(reason) });
  }

  function startNext(): void {
    const [next] = waiting;
    if (next === undefined) {
      if (running === 0) closing?.resolve();
      return;
    }
    waiting.delete(next);
    next.start();
  }

  async function occupySlot<T>(work: () => Promise<T>): Promise<T> {
    running += 1;
    try {
      return await work();
    } finally {
      running -= 1;
      completed += 1;
      startNext();
    }
  }

  function admit<T>(work: () => Promise<T>): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const expire = (): void => {
      waiting.delete(entry);
      reject(busy("The deadline passed before the hash was done."));
    };
    const deadline = setTimeout(expire, bounds.deadlineMilliseconds);
    const entry: Waiting = {
      start: () =>
        void occupySlot(work)
          .then(resolve, reject)
          .finally(() => clearTimeout(deadline)),
    };
    if (running < bounds.slots) entry.start();
    else waiting.add(entry);
    return promise;
  }

  return {
    run: async (work) => {
      if (closing !== undefined) throw busy("The hash threads are closing.");
      if (running >= bounds.slots && waiting.size >= bounds.queueMax) throw busy("The queue of hashes is full.");
      return admit(work);
    },
    stats: () => ({ running, queued: waiting.size, completed, refused }),
    close: () => {
      closing ??= Promise.withResolvers<void>();
      if (running === 0 && waiting.size === 0) closing.resolve();
      return closing.promise;
    },
  };
}
