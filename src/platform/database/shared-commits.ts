import type { Question, SqliteWriter, Written } from "./sqlite-writer.ts";

const togetherMax = 32;
/** For so long transactions may follow each other before they are committed: they are done on the event loop's time. */
const togetherMillisecondsMax = 4;

/**
 * Transactions, one at a time: the caller sees to that. Those that follow each other closely become one commit of
 * SQLite, which waits for the disk once for all of them, and nobody is told "committed" before.
 *
 * Each is a savepoint of its own, so one that is undone leaves the others. If the common commit fails, all of them have
 * failed, and so have those that were done when a full disk or an I/O error makes SQLite undo everything.
 */
export type SharedCommits = {
  readonly begin: () => Promise<void>;
  readonly run: (question: Question) => Written;
  /**
   * Resolves when it is on the disk. `isAwaited`: whether somebody wants to begin next, which they may as soon as this
   * was called; they must, and end it, for the commit may wait for them.
   */
  readonly commit: (isAwaited: boolean) => Promise<void>;
  readonly rollback: (isAwaited: boolean) => void;
};

type Together = {
  readonly since: number;
  readonly kept: PromiseWithResolvers<void>;
  count: number;
  hasCommits: boolean;
  /** By which SQLite undid everything. */
  fault: Error | undefined;
};

export function createSharedCommits(writer: SqliteWriter, monotonicNow = () => performance.now()): SharedCommits {
  let together: Together | undefined;

  function current(): Together {
    if (together === undefined) throw new Error("A transaction was used before it began, or after its end.");
    return together;
  }

  function end(one: Together, isAwaited: boolean): void {
    one.count += 1;
    const isDue = one.count >= togetherMax || monotonicNow() - one.since >= togetherMillisecondsMax;
    if (one.fault === undefined && isAwaited && !isDue) return;
    together = undefined;
    if (one.fault !== undefined) return one.kept.reject(one.fault);
    writer.ask(one.hasCommits ? "commit" : "rollback").then(one.kept.resolve, one.kept.reject);
  }

  return {
    begin: async () => {
      if (together === undefined) {
        await writer.ask("begin immediate");
        const kept = Promise.withResolvers<void>();
        kept.promise.catch(() => undefined); // Whoever commits hears of it; of those undone nobody does.
        together = { since: monotonicNow(), kept, count: 0, hasCommits: false, fault: undefined };
      }
      writer.prepend("savepoint one");
    },
    run: (question) => {
      const one = current();
      if (one.fault !== undefined) throw one.fault;
      try {
        return writer.run(question);
      } catch (error) {
        if (!writer.isTransaction()) one.fault = error as Error;
        throw error;
      }
    },
    commit: (isAwaited) => {
      const one = current();
      one.hasCommits = true;
      if (one.fault === undefined) writer.prepend("release one");
      end(one, isAwaited);
      return one.kept.promise;
    },
    rollback: (isAwaited) => {
      const one = current();
      if (one.fault === undefined) {
        writer.prepend("rollback to one");
        writer.prepend("release one");
      }
      end(one, isAwaited);
    },
  };
}
