import { once } from "node:events";
import { Worker } from "node:worker_threads";

export type Question = { readonly sql: string; readonly parameters: readonly unknown[] };

export type Answer =
  | {
      readonly rows: unknown[];
      readonly changes?: number | bigint;
      readonly lastInsertRowid?: number | bigint;
    }
  | { readonly fault: Readonly<Record<string, unknown>> & { readonly message: string } };

export type Written = Exclude<Answer, { readonly fault: unknown }>;

/** A connection to SQLite in a thread of its own: who waits for the disk there keeps nobody waiting here. */
export type SqliteWriter = {
  /** Throws what SQLite throws there. */
  readonly run: (question: Question) => Promise<Written>;
  readonly close: () => Promise<void>;
};

/** `path` of a database that is there already. */
export function openSqliteWriter(path: string): SqliteWriter {
  const thread = new Worker(new URL("sqlite-writer-thread.ts", import.meta.url), { workerData: { path } });
  const waiting: PromiseWithResolvers<Answer>[] = [];
  thread.on("message", (answer: Answer) => {
    waiting.shift()?.resolve(answer);
    if (waiting.length === 0) thread.unref();
  });
  // Without it nothing can be written ever again: the process ends, as after any fault of its own.
  thread.on("error", (error) => {
    throw error;
  });
  thread.on("exit", () => {
    for (const { reject } of waiting.splice(0)) reject(new Error("database is not open"));
  });
  // By itself it keeps no process alive; what is asked of it does. (Whoever listens to it holds it.)
  thread.unref();
  return {
    run: async (question) => {
      const asked = Promise.withResolvers<Answer>();
      thread.postMessage(question);
      waiting.push(asked);
      thread.ref();
      const answer = await asked.promise;
      if (!("fault" in answer)) return answer;
      const { message, ...members } = answer.fault;
      throw Object.assign(new Error(message), members);
    },
    close: async () => {
      const ended = once(thread, "exit");
      thread.ref();
      thread.postMessage("close");
      await ended;
    },
  };
}
