import type { Gate } from "../../contract/gates.ts";
import { createNewestEntries } from "../newest-entries.ts";

/** What one gate said to a request. */
export type GateEntry = {
  readonly gate: Gate;
  readonly outcome: "passed" | "refused";
  /** In words: what the gate saw, as "no token needed" or the code of the problem. Holds no secret. */
  readonly saw: string;
  readonly durationMilliseconds: number;
};

/** How a request passed the gates and what decided it. */
export type Decision = {
  readonly requestId: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly method: string;
  /** Without the query, at most 256 characters. */
  readonly path: string;
  readonly status: number;
  readonly decidedBy: Gate;
  readonly code: string;
  readonly accountId: number | null;
  readonly address: string;
  readonly gates: readonly GateEntry[];
};

/** Which decisions are meant: all that agree with every member that is given. */
export type DecisionFilter = {
  readonly gate?: Gate | undefined;
  readonly code?: string | undefined;
  readonly status?: number | undefined;
};

/** A decision with its place in the order in which they were made. */
export type NumberedDecision = Decision & {
  /** Rises, also over a restart and from one process to the next: about the microseconds since the epoch. */
  readonly number: number;
};

/** At most `count`, between two numbers if given. */
export type DecisionRange = {
  readonly after?: number | undefined;
  readonly before?: number | undefined;
  readonly count: number;
};

/** Keeps the last refused decisions; the oldest goes first. */
export type DecisionLog = {
  readonly record: (decision: Decision) => void;
  readonly find: (requestId: string) => Promise<NumberedDecision | undefined>;
  /** The newest first. */
  readonly list: (filter: DecisionFilter, range: DecisionRange) => Promise<readonly NumberedDecision[]>;
  /**
   * Tells every decision, of other processes too, in the order of their numbers: all that are made when the promise is
   * kept. Returns what ends it. Worth something only while somebody watches.
   */
  readonly subscribe: (listener: (decision: NumberedDecision) => void) => Promise<() => void>;
};

export function createMemoryDecisionLog(decisionsMax: number): DecisionLog {
  const decisions = createNewestEntries<string, NumberedDecision>(decisionsMax);
  const listeners = new Set<(decision: NumberedDecision) => void>();
  let lastNumber = 0;
  return {
    record: (decision) => {
      lastNumber = Math.max(lastNumber + 1, decision.at * 1000);
      const numbered = { ...decision, number: lastNumber };
      decisions.set(decision.requestId, numbered);
      for (const listener of listeners) listener(numbered);
    },
    find: async (requestId) => decisions.get(requestId),
    list: async (filter, { after = 0, before = Number.POSITIVE_INFINITY, count }) => {
      const listed: NumberedDecision[] = [];
      for (const decision of decisions.newestFirst()) {
        if (listed.length === count || decision.number <= after) break;
        if (decision.number < before && isMeant(filter, decision)) listed.push(decision);
      }
      return listed;
    },
    subscribe: async (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}

export function isMeant({ gate, code, status }: DecisionFilter, decision: Decision): boolean {
  return (
    (gate === undefined || decision.decidedBy === gate) &&
    (code === undefined || decision.code === code) &&
    (status === undefined || decision.status === status)
  );
}
