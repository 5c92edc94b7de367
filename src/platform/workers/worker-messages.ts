import type { SwitchState, SwitchTurn } from "../development-switches.ts";
import type { Decision, DecisionFilter, DecisionRange, NumberedDecision } from "../http/decisions.ts";
import type { OutgoingMail } from "../mail/mailer.ts";
import type { KeyUse, KeyWindow, Limit } from "../rate-limit/rate-limiter.ts";
import type { MemoryDecision } from "../rate-limit/memory-rate-limiter.ts";

/** What a worker asks the primary process, and what it is answered. All of it survives JSON. */
export type Questions = {
  readonly take: {
    readonly asked: { readonly limit: Limit; readonly key: string };
    readonly answer: Omit<MemoryDecision, "giveBack"> & { readonly keysHeld: number; readonly keysHeldOfAll: number };
  };
  readonly "give-back": {
    readonly asked: { readonly limitName: string; readonly key: string; readonly countedAt: number };
    readonly answer: null;
  };
  readonly inspect: { readonly asked: { readonly limit: Limit; readonly key: string }; readonly answer: KeyWindow };
  readonly busiest: {
    readonly asked: { readonly limit: Limit; readonly count: number };
    readonly answer: readonly KeyUse[];
  };
  readonly "find-decision": { readonly asked: string; readonly answer: NumberedDecision | null };
  readonly "list-decisions": {
    readonly asked: { readonly filter: DecisionFilter; readonly range: DecisionRange };
    readonly answer: readonly NumberedDecision[];
  };
  /** Whether this worker wants to hear of every decision from now on. */
  readonly watch: { readonly asked: boolean; readonly answer: null };
  /** What a worker that has just been born must know. */
  readonly "development-state": {
    readonly asked: null;
    readonly answer: { readonly switches: SwitchState; readonly mails: readonly OutgoingMail[] };
  };
  /** Answered when every worker has heard of it; so are the two that follow. */
  readonly turn: { readonly asked: SwitchTurn; readonly answer: null };
  readonly "keep-mail": { readonly asked: OutgoingMail; readonly answer: null };
  readonly "clear-mails": { readonly asked: null; readonly answer: null };
  /** Of each worker that answers in time, what prom-client's `getMetricsAsJSON` gives. */
  readonly metrics: { readonly asked: null; readonly answer: readonly object[] };
};

export type Question = keyof Questions;

/** What the primary process tells workers unasked. */
export type Tidings =
  | { readonly about: "decision"; readonly decision: NumberedDecision }
  | { readonly about: "switches"; readonly switches: SwitchState }
  | { readonly about: "mail"; readonly mail: OutgoingMail }
  | { readonly about: "mails-cleared" }
  | { readonly about: "metrics-wanted" }
  /** Stop: readiness first, then the door, then what is under way. */
  | { readonly about: "stop" };

export type FromWorker =
  | { readonly kind: "ask"; readonly id: number; readonly question: Question; readonly asked: unknown }
  | { readonly kind: "refused"; readonly decision: Decision }
  | { readonly kind: "heard"; readonly id: number; readonly metrics?: object }
  | { readonly kind: "listening"; readonly address: string };

export type FromPrimary =
  | { readonly kind: "answer"; readonly id: number; readonly answer: unknown }
  | { readonly kind: "failed"; readonly id: number }
  | { readonly kind: "tidings"; readonly id: number; readonly tidings: Tidings };

/** One end of the pipe between two processes. Messages come in order, and none is lost while both live. */
export type Pipe<Sent, Received> = {
  readonly send: (message: Sent) => void;
  readonly onMessage: (listener: (message: Received) => void) => void;
};
