import { setImmediate as nextRound } from "node:timers/promises";
import type { Logger } from "pino";
import { type DevelopmentSwitches, switchState } from "../development-switches.ts";
import type { DecisionLog } from "../http/decisions.ts";
import type { Mailer } from "../mail/mailer.ts";
import type { MemoryRateLimiter } from "../rate-limit/memory-rate-limiter.ts";
import { withPatience } from "../patience.ts";
import type { FromPrimary, FromWorker, Pipe, Question, Questions, Tidings } from "./worker-messages.ts";

/** Shorter than a worker waits for the answer: one that is silent is left out. */
const metricsMillisecondsMax = 1_000;

export type DeskParts = {
  readonly rateLimiter: MemoryRateLimiter;
  readonly decisions: DecisionLog;
  readonly switches: DevelopmentSwitches;
  readonly inbox: Mailer;
  readonly log: Logger;
};

export type PrimaryDesk = {
  readonly attach: (worker: WorkerPipe) => void;
  /** It is gone: nobody waits for it any more. */
  readonly detach: (worker: WorkerPipe) => void;
  /** Told to one worker. */
  readonly tell: (worker: WorkerPipe, tidings: Tidings) => void;
};

type WorkerPipe = Pipe<FromPrimary, FromWorker>;
type Attached = { isWatching: boolean; readonly unheard: Map<number, (metrics?: object) => void> };

/** Where the workers of one machine share what one process keeps in its memory: all of it is done in this process. */
export function createPrimaryDesk(parts: DeskParts): PrimaryDesk {
  const { decisions, log } = parts;
  const workers = new Map<WorkerPipe, Attached>();
  let lastTidings = 0;

  const tellAndWait = async (worker: WorkerPipe, tidings: Tidings): Promise<object | undefined> => {
    const { promise, resolve } = Promise.withResolvers<object | undefined>();
    const id = (lastTidings += 1);
    workers.get(worker)?.unheard.set(id, resolve);
    worker.send({ kind: "tidings", id, tidings });
    return promise;
  };
  const tell = (worker: WorkerPipe, tidings: Tidings): void =>
    worker.send({ kind: "tidings", id: (lastTidings += 1), tidings });
  const answers = createAnswers(parts, (tidings) => [...workers.keys()].map((worker) => tellAndWait(worker, tidings)));
  const answer = async (worker: WorkerPipe, message: FromWorker & { kind: "ask" }): Promise<void> => {
    const { id, question, asked } = message;
    try {
      const attached = workers.get(worker);
      if (question === "watch" && attached) attached.isWatching = asked === true;
      worker.send({ kind: "answer", id, answer: await answers[question](asked as never) });
    } catch (error) {
      log.error({ err: error, question }, "a worker's question could not be answered");
      worker.send({ kind: "failed", id });
    }
  };

  void decisions.subscribe((decision) => {
    for (const [worker, { isWatching }] of workers) if (isWatching) tell(worker, { about: "decision", decision });
  });
  return {
    attach: (worker) => {
      const unheard: Attached["unheard"] = new Map();
      workers.set(worker, { isWatching: false, unheard });
      worker.onMessage((message) => {
        if (message.kind === "ask") void answer(worker, message);
        if (message.kind === "refused") decisions.record(message.decision);
        if (message.kind === "heard") {
          unheard.get(message.id)?.(message.metrics);
          unheard.delete(message.id);
        }
      });
    },
    detach: (worker) => {
      for (const heard of workers.get(worker)?.unheard.values() ?? []) heard();
      workers.delete(worker);
    },
    tell,
  };
}

type Answers = { readonly [Q in Question]: (asked: Questions[Q]["asked"]) => Promise<Questions[Q]["answer"]> };

function createAnswers(
  { rateLimiter, decisions, switches, inbox }: DeskParts,
  tell: (tidings: Tidings) => Promise<object | undefined>[],
): Answers {
  const tellAll = async (tidings: Tidings): Promise<void> => void (await Promise.all(tell(tidings)));
  return {
    take: async ({ limit, key }) => {
      const { accepted, remaining, resetSeconds, retryAfterSeconds, countedAt } = rateLimiter.take(limit, key);
      const held = { keysHeld: rateLimiter.keysHeld(limit.name), keysHeldOfAll: rateLimiter.keysHeld() };
      return { accepted, remaining, resetSeconds, retryAfterSeconds, countedAt, ...held };
    },
    "give-back": async ({ limitName, key, countedAt }) => {
      rateLimiter.giveBackOf(limitName, key, countedAt);
      return null;
    },
    inspect: ({ limit, key }) => rateLimiter.inspect(limit, key),
    busiest: ({ limit, count }) => rateLimiter.busiest(limit, count),
    // Another worker's refusal may lie in its pipe, sent before its client was answered: the next round has read it.
    "find-decision": async (requestId) => {
      await nextRound();
      return (await decisions.find(requestId)) ?? null;
    },
    "list-decisions": async ({ filter, range }) => {
      await nextRound();
      return decisions.list(filter, range);
    },
    watch: async () => null,
    "development-state": async () => ({ switches: switchState(switches), mails: inbox.inbox?.mails() ?? [] }),
    turn: async (turn) => {
      await switches.turn(turn);
      await tellAll({ about: "switches", switches: switchState(switches) });
      return null;
    },
    "keep-mail": async (mail) => {
      await inbox.send(mail);
      await tellAll({ about: "mail", mail });
      return null;
    },
    "clear-mails": async () => {
      await inbox.inbox?.clear();
      await tellAll({ about: "mails-cleared" });
      return null;
    },
    metrics: async () => {
      const told = tell({ about: "metrics-wanted" }).map((metrics) =>
        withPatience(metricsMillisecondsMax, metrics, () => new Error("too late")).catch(() => undefined),
      );
      return (await Promise.all(told)).filter((metrics) => metrics !== undefined);
    },
  };
}
