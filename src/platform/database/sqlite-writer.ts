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
export type ToWriter = (Question & { readonly before: readonly string[] }) | "close";

/** What the thread begins with. */
export type WriterPart = {
  readonly path: string;
  readonly port: MessagePort;
  readonly counts: MessageCounts;
};

/** How many messages there were. Who waits for one and does nothing else waits for this to change. */
export type MessageCounts = { readonly asked: Int32Array; readonly answered: Int32Array };

export function countOne(count: Int32Array): void {
  Atomics.add(count, 0, 1);
  Atomics.notify(count, 0);
}

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
  /** Before the next thing that is asked: what cannot fail and gives nothing. Should it fail, the process ends. */
  readonly prepend: (sql: string) => void;
  /** Whether a transaction was open after the latest answer: a full disk or an I/O error undoes it by itself. */
  readonly isTransaction: () => boolean;
  readonly close: () => Promise<void>;
};

const runMillisecondsMax = 30_000;

/** `path` of a database that is there already. */
export function openSqliteWriter(path: string): SqliteWriter {
  const { thread, port, counts } = startThread(path);
  const waiting: ((answer: Answer) => void)[] = [];
  let before: string[] = [];
  let isTransaction = false;
  let isOver = false;

  const take = (answer: Answer): void => {
    isTransaction = answer.isTransaction;
    waiting.shift()?.(answer);
    if (waiting.length === 0) port.unref();
  };
  const tell = (message: ToWriter): void => {
    port.postMessage(message);
    countOne(counts.asked);
  };
  const send = (question: Question, use: (answer: Answer) => void): void => {
    if (isOver) throw closed();
    tell({ ...question, before });
    before = [];
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
        const count = Atomics.load(counts.answered, 0);
        for (let next = receiveMessageOnPort(port); next !== undefined; next = receiveMessageOnPort(port)) {
          take(next.message as Answer);
        }
        if (answer !== undefined) return written(answer);
        if (Atomics.wait(counts.answered, 0, count, runMillisecondsMax) === "timed-out") {
          throw new Error(`The thread that writes did not answer within ${runMillisecondsMax} ms.`);
        }
      }
    },
    prepend: (sql) => void before.push(sql),
    isTransaction: () => isTransaction,
    close: async () => {
      const ended = once(thread, "exit");
      thread.ref();
      tell("close");
      await ended;
    },
  };
}

function startThread(path: string): { thread: Worker; port: MessagePort; counts: MessageCounts } {
  const { port1, port2 } = new MessageChannel();
  const counter = (): Int32Array => new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  const counts = { asked: counter(), answered: counter() };
  const part: WriterPart = { path, port: port2, counts };
  const script = new URL("sqlite-writer-thread.ts", import.meta.url);
  return { thread: new Worker(script, { workerData: part, transferList: [port2] }), port: port1, counts };
}

function closed(): Error {
  return new Error("database is not open");
}

function written({ outcome }: Answer): Written {
  if (!("fault" in outcome)) return outcome;
  const { message, ...members } = outcome.fault;
  throw Object.assign(new Error(message), members);
}
