import { Problem } from "../../contract/problems.ts";
import type { Decision } from "../http/decisions.ts";
import { withPatience } from "../patience.ts";
import type { FromPrimary, FromWorker, Pipe, Question, Questions, Tidings } from "./worker-messages.ts";

/** The primary process only counts and passes on: what takes it so long is a machine that stands still. */
const answerMillisecondsMaxDefault = 2_000;

/** A worker's way to the process that counts for all of them. */
export type PrimaryLink = {
  /** @throws Problem `busy` when no answer comes in time */
  readonly ask: <Q extends Question>(question: Q, asked: Questions[Q]["asked"]) => Promise<Questions[Q]["answer"]>;
  /** Hands a refusal over; nobody waits for it. */
  readonly refused: (decision: Decision) => void;
  /** This worker takes requests. */
  readonly listening: (address: string) => void;
  /** What this worker counts, when the metrics of all are wanted. */
  readonly tellMetrics: (read: () => Promise<object>) => void;
  readonly hear: (listener: (tidings: Tidings) => void) => void;
};

type Waiting = { readonly answer: (value: never) => void; readonly fail: (error: Error) => void };

export function createPrimaryLink(
  pipe: Pipe<FromWorker, FromPrimary>,
  answerMillisecondsMax: number = answerMillisecondsMaxDefault,
): PrimaryLink {
  const waiting = new Map<number, Waiting>();
  const listeners = new Set<(tidings: Tidings) => void>();
  let lastId = 0;
  let readMetrics = async (): Promise<object> => [];
  pipe.onMessage((message) => {
    switch (message.kind) {
      case "answer":
        waiting.get(message.id)?.answer(message.answer as never);
        return;
      case "failed":
        waiting.get(message.id)?.fail(new Error("the primary process could not answer; its log says why"));
        return;
      case "tidings":
        for (const listener of listeners) listener(message.tidings);
        if (message.tidings.about !== "metrics-wanted") pipe.send({ kind: "heard", id: message.id });
        else {
          const { id } = message;
          // Figures that cannot be read are left out; they come late then, and nobody waits for them.
          readMetrics().then((metrics) => pipe.send({ kind: "heard", id, metrics }), ignore);
        }
        return;
      default:
        message satisfies never;
    }
  });
  return {
    ask: async <Q extends Question>(question: Q, asked: Questions[Q]["asked"]) => {
      const { promise, resolve, reject } = Promise.withResolvers<Questions[Q]["answer"]>();
      const id = (lastId += 1);
      waiting.set(id, { answer: resolve, fail: reject });
      pipe.send({ kind: "ask", id, question, asked });
      return withPatience(answerMillisecondsMax, promise, noAnswer).finally(() => waiting.delete(id));
    },
    refused: (decision) => pipe.send({ kind: "refused", decision }),
    listening: (address) => pipe.send({ kind: "listening", address }),
    tellMetrics: (read) => {
      readMetrics = read;
    },
    hear: (listener) => void listeners.add(listener),
  };
}

function ignore(): void {
  // Nothing is done about it.
}

function noAnswer(): Problem {
  return new Problem("busy", {
    detail: "The process that counts for all workers does not answer at present. Try again as Retry-After says.",
    headers: { "retry-after": "1" },
  });
}
