import type { Gate } from "../../contract/gates.ts";

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

/** Keeps the last refused decisions; the oldest goes first. */
export type DecisionLog = {
  readonly record: (decision: Decision) => void;
  readonly find: (requestId: string) => Promise<Decision | undefined>;
};

export function createMemoryDecisionLog(decisionsMax: number): DecisionLog {
  const decisions = new Map<string, Decision>();
  return {
    record: (decision) => {
      decisions.set(decision.requestId, decision);
      if (decisions.size > decisionsMax) decisions.delete(decisions.keys().next().value ?? decision.requestId);
    },
    find: async (requestId) => decisions.get(requestId),
  };
}
