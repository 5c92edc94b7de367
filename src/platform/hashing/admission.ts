import { Problem } from "../../contract/problems.ts";

/** `slots` pieces of work at once, `queueMax` waiting in order; an answer or a refusal within the deadline. */
export type AdmissionBounds = {
  readonly slots: number;
  readonly queueMax: number;
  readonly deadlineMilliseconds: number;
};

export type Admission = {
  /** Throws `Problem("busy")` when `run` would reject at once: for who has something to do before. */
  readonly requireRoom: () => void;
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

// Made once: a refusal must cost little in a flood, and where it was refused says no more than the words do.
const queueIsFull = new Error("The queue of hashes is full.");
const queueIsSlow = new Error("The hashes that wait already take longer than the deadline.");
const isClosing = new Error("The hash threads are closing.");
const isLate = new Error("The deadline passed before the hash was done.");

/**
 * Who may use the hash threads, and who is told to come back: at once when there is no place, or when by the latest
 * times the turn would come too late. Nobody waits for seconds to be refused after all.
 *
 * The queue is here and not in piscina, because piscina does not tell waiting tasks from running ones: at the deadline
 * a waiting one is dropped, but a running one keeps its slot until its thread is really free; only its caller leaves.
 */
export function createAdmission(bounds: AdmissionBounds, now: () => number = () => performance.now()): Admission {
  const waiting = new Set<Waiting>(); // In the order of arrival.
  let [running, completed, refused] = [0, 0, 0];
  let closing: PromiseWithResolvers<void> | undefined;
  const times = watchTimes(now);

  function busy(cause: Error): Problem {
    refused += 1;
    return new Problem("busy", { headers: { "Retry-After": "1" }, cause });
  }

  function requireRoom(): void {
    const reason = closing ? isClosing : whyNoRoom(bounds, running, waiting.size, times.meanMilliseconds());
    if (reason !== undefined) throw busy(reason);
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
      return await times.measure(work);
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
      reject(busy(isLate));
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
    requireRoom,
    run: async (work) => {
      requireRoom();
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

function whyNoRoom(bounds: AdmissionBounds, running: number, waiting: number, workMilliseconds: number) {
  if (running < bounds.slots) return undefined;
  if (waiting >= bounds.queueMax) return queueIsFull;
  const turns = 1 + (waiting + 1) / bounds.slots; // Of this one, and of those before it.
  return turns * workMilliseconds > bounds.deadlineMilliseconds ? queueIsSlow : undefined;
}

const samplesMin = 8;
const weightOfLatest = 0.1;

/** How long works took of late: a moving mean, 0 while there are too few to judge by. */
function watchTimes(now: () => number) {
  let count = 0;
  let mean = 0;
  return {
    measure: async <T>(work: () => Promise<T>): Promise<T> => {
      const startedAt = now();
      try {
        return await work();
      } finally {
        count += 1;
        mean += Math.max(weightOfLatest, 1 / count) * (now() - startedAt - mean);
      }
    },
    meanMilliseconds: () => (count < samplesMin ? 0 : mean),
  };
}
