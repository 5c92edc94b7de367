import { once } from "node:events";
import { MessageChannel, type MessagePort, receiveMessageOnPort, Worker } from "node:worker_threads";

export type Question = { readonly sql: string; readonly parameters: readonly unknown[] };

export type Written = {
  readonly rows: unknown[];
  readonly changes?: number | bigint;
  readonly lastInsertRowid?: number | bigint;
};

export type Answer = {
  readonly outcome: Written | { readonly fault: Readonly<Record<string, unknown>> & { readonly message: string } };
  /** Whether a transaction is open after it. */
  readonly isTransaction: boolean;
};

/** What the thread is told. */
export type ToWriter = (Question & { readonly isAnswered: boolean }) | "close";

/** What the thread begins with. */
export type WriterPart = {
  readonly path: string;
  readonly port: MessagePort;
  /** How many answers there were: who waits for one and does nothing else waits for this to change. */
  readonly answered: Int32Array<SharedArrayBuffer>;
};

/**
 * A connection to SQLite in a thread of its own, which does one statement after the other: who waits for the disk there
 * keeps nobody waiting here. What SQLite throws there is thrown here.
 */
export type SqliteWriter = {
  /** For what may take its time: a lock that another process has, or the disk. */
  readonly ask: (sql: string) => Promise<void>;
  /**
   * For statements of a transaction that has the lock: waits on the spot, a hundredth of a millisecond longer than a
   * statement on this thread. A message that is awaited comes back some turns of the event loop later.
   */
  readonly run: (question: Question) => Written;
  /** For what cannot fail and gives nothing. Should it fail nevertheless, the process ends. */
  readonly post: (sql: string) => void;
  /** Whether a transaction was open after the latest answer: a full disk or an I/O error undoes it by itself. */
  readonly isTransaction: () => boolean;
  readonly close: () => Promise<void>;
};

const runMillisecondsMax = 30_000;

/** `path` of a database that is there already. */
export function openSqliteWriter(path: string): SqliteWriter {
  const { port1: port, port2 } = new MessageChannel();
  const answered = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  const part: WriterPart = { path, port: port2, answered };
  const script = new URL("sqlite-writer-thread.ts", import.meta.url);
  const thread = new Worker(script, { workerData: part, transferList: [port2] });
  const waiting: ((answer: Answer) => void)[] = [];
  let isTransaction = false;
  let isOver = false;

  const take = (answer: Answer): void => {
    isTransaction = answer.isTransaction;
    waiting.shift()?.(answer);
    if (waiting.length === 0) port.unref();
  };
  const send = (question: Question, use: (answer: Answer) => void): void => {
    if (isOver) throw closed();
    port.postMessage({ ...question, isAnswered: true } satisfies ToWriter);
    waiting.push(use);
  };
  port.on("message", take);
  // Without it nothing can be written ever again: the process ends, as after any fault of its own.
  thread.on("error", (error) => {
    throw error;
  });
  thread.on("exit", () => {
    isOver = true;
    port.close();
    const { message } = closed();
    for (const use of waiting.splice(0)) use({ outcome: { fault: { message } }, isTransaction: false });
  });
  // By itself it keeps no process alive; what is asked of it does. (Whoever listens to it holds it.)
  thread.unref();
  port.unref();
  return {
    ask: async (sql) => {
      const { promise, resolve } = Promise.withResolvers<Answer>();
      send({ sql, parameters: [] }, resolve);
      port.ref();
      written(await promise);
    },
    run: (question) => {
      let answer: Answer | undefined;
      send(question, (given) => (answer = given));
      for (;;) {
        const count = Atomics.load(answered, 0);
        for (let next = receiveMessageOnPort(port); next !== undefined; next = receiveMessageOnPort(port)) {
          take(next.message as Answer);
        }
        if (answer !== undefined) return written(answer);
        if (Atomics.wait(answered, 0, count, runMillisecondsMax) === "timed-out") {
          throw new Error(`The thread that writes did not answer within ${runMillisecondsMax} ms.`);
        }
      }
    },
    post: (sql) => port.postMessage({ sql, parameters: [], isAnswered: false } satisfies ToWriter),
    isTransaction: () => isTransaction,
    close: async () => {
      const ended = once(thread, "exit");
      thread.ref();
      port.postMessage("close" satisfies ToWriter);
      await ended;
    },
  };
}

function closed(): Error {
  return new Error("database is not open");
}

function written({ outcome }: Answer): Written {
  if (!("fault" in outcome)) return outcome;
  const { message, ...members } = outcome.fault;
  throw Object.assign(new Error(message), members);
}
