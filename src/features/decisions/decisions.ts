import type { Readable } from "node:stream";
import type { FastifyReply } from "fastify";
import { Problem } from "../../contract/problems.ts";
import { type DecisionFilter, isMeant, type NumberedDecision } from "../../platform/http/decisions.ts";
import { createEventStream, type EventStream } from "../../platform/http/event-stream.ts";
import type { Platform } from "../../platform/platform.ts";
import { decisionBody } from "./decision-body.ts";

const streamsMax = 32;
const streamsOfAccountMax = 8;
/** What is sent again after Last-Event-ID. */
const replayedMax = 1_000;
/** Of more in a second only the number is told: who floods the server must not make it write as much again. */
const eventsPerSecondMax = 200;
const beatEveryMilliseconds = 15_000;

export type StreamRequest = {
  readonly filter: DecisionFilter;
  readonly accountId: number;
  readonly lastEventId: string | readonly string[] | undefined;
  readonly isStillAllowed: () => Promise<boolean>;
};

export type DecisionStreams = {
  /** @throws Problem `too-many-streams` */
  readonly open: (request: StreamRequest, reply: FastifyReply) => Promise<Readable | undefined>;
  /** Ends those whose reader may no longer read, and lets the others know that they live. Call it every few seconds. */
  readonly tick: () => Promise<void>;
  /** Ends all of them; no other one is opened. */
  readonly close: () => void;
};

type Open = {
  readonly request: StreamRequest;
  readonly stream: EventStream;
  /** Decisions up to this number have been sent at the beginning, or are not wanted. */
  replayedUpTo: number;
  /** What comes while the former ones are looked up; undefined once they are sent. */
  waiting: NumberedDecision[] | undefined;
  beatAt: number;
  secondBeganAt: number;
  sentInSecond: number;
  skipped: number;
};

/** Refusals as they happen, for those who watch. */
export function createDecisionStreams(platform: Pick<Platform, "clock" | "decisions">): DecisionStreams {
  const { clock, decisions } = platform;
  const streams = new Set<Open>();
  let isClosed = false;
  let watching: Promise<() => void> | undefined;
  const tell = (decision: NumberedDecision): void => {
    let data: string | undefined;
    for (const open of streams) {
      if (!isMeant(open.request.filter, decision)) continue;
      if (open.waiting) open.waiting.push(decision);
      else send(clock.monotonicNow(), open, decision, (data ??= JSON.stringify(decisionBody(decision))));
    }
  };
  const forget = (open: Open): void => {
    streams.delete(open);
    if (streams.size > 0) return;
    void watching?.then((end) => end()).catch(() => undefined); // Who opened it has been told what went wrong.
    watching = undefined;
  };
  return {
    open: async (request, reply) => {
      const ofAccount = [...streams].filter((open) => open.request.accountId === request.accountId).length;
      if (isClosed || streams.size >= streamsMax || ofAccount >= streamsOfAccountMax) {
        throw new Problem("too-many-streams", { headers: { "retry-after": "5" } });
      }
      const open = begin(clock.monotonicNow(), request, reply, () => forget(open));
      // A question for the headers alone (HEAD) must not leave an endless answer behind.
      if (reply.request.method === "HEAD") {
        open.stream.end();
        return open.stream.body;
      }
      streams.add(open);
      try {
        await (watching ??= decisions.subscribe(tell));
        await replay(platform, open);
      } catch (error) {
        open.stream.body.destroy();
        throw error;
      }
      return open.stream.body;
    },
    tick: async () => {
      for (const open of streams) {
        if (!(await open.request.isStillAllowed())) open.stream.end();
        else keepAlive(clock.monotonicNow(), open);
      }
    },
    close: () => {
      isClosed = true;
      for (const { stream } of streams) stream.end();
    },
  };
}

function begin(now: number, request: StreamRequest, reply: FastifyReply, onClose: () => void): Open {
  return {
    request,
    stream: createEventStream(reply, onClose),
    replayedUpTo: 0,
    waiting: [],
    beatAt: now,
    secondBeganAt: now,
    sentInSecond: 0,
    skipped: 0,
  };
}

async function replay({ clock, decisions }: Pick<Platform, "clock" | "decisions">, open: Open): Promise<void> {
  const { filter, lastEventId } = open.request;
  const after = typeof lastEventId === "string" && /^[0-9]{1,16}$/.test(lastEventId) ? Number(lastEventId) : undefined;
  const missed = after === undefined ? [] : await decisions.list(filter, { after, count: replayedMax });
  for (const decision of missed.toReversed()) {
    open.replayedUpTo = decision.number;
    open.stream.send(eventOf(decision, JSON.stringify(decisionBody(decision))));
  }
  const waiting = open.waiting ?? [];
  open.waiting = undefined;
  for (const decision of waiting) {
    send(clock.monotonicNow(), open, decision, JSON.stringify(decisionBody(decision)));
  }
}

function send(now: number, open: Open, decision: NumberedDecision, data: string): void {
  if (decision.number <= open.replayedUpTo) return;
  if (now - open.secondBeganAt >= 1_000) Object.assign(open, { secondBeganAt: now, sentInSecond: 0 });
  if (open.sentInSecond >= eventsPerSecondMax) {
    open.skipped += 1;
    return;
  }
  open.sentInSecond += 1;
  tellSkipped(open);
  open.stream.send(eventOf(decision, data));
}

function eventOf({ number }: NumberedDecision, data: string): { id: string; event: string; data: string } {
  return { id: String(number), event: "decision", data };
}

function tellSkipped(open: Open): void {
  if (open.skipped === 0) return;
  open.stream.send({ event: "skipped", data: JSON.stringify({ count: open.skipped }) });
  open.skipped = 0;
}

function keepAlive(now: number, open: Open): void {
  if (now - open.secondBeganAt >= 1_000) tellSkipped(open);
  if (now - open.beatAt < beatEveryMilliseconds) return;
  open.beatAt = now;
  open.stream.beat();
}
