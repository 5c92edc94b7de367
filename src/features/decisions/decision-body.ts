import { Type, type Static } from "typebox";
import { gates } from "../../contract/gates.ts";
import { timestamp } from "../../platform/clock.ts";
import type { NumberedDecision } from "../../platform/http/decisions.ts";

export const GateName = Type.Enum([...gates]);

export const DecisionBody = Type.Object(
  {
    id: Type.String({ description: "Where it stands among the refusals: the `id` of its event in the stream." }),
    request_id: Type.String(),
    at: Type.String({ format: "date-time" }),
    method: Type.String(),
    path: Type.String(),
    status: Type.Integer(),
    decided_by: GateName,
    code: Type.String(),
    account_id: Type.Union([Type.Integer(), Type.Null()]),
    address: Type.String(),
    gates: Type.Array(
      Type.Object({
        gate: GateName,
        outcome: Type.Enum(["passed", "refused"]),
        saw: Type.String(),
        duration_ms: Type.Number(),
      }),
    ),
  },
  { title: "Decision" },
);

export function decisionBody(decision: NumberedDecision): Static<typeof DecisionBody> {
  return {
    id: String(decision.number),
    request_id: decision.requestId,
    at: timestamp(decision.at),
    method: decision.method,
    path: decision.path,
    status: decision.status,
    decided_by: decision.decidedBy,
    code: decision.code,
    account_id: decision.accountId,
    address: decision.address,
    gates: decision.gates.map(({ gate, outcome, saw, durationMilliseconds }) => ({
      gate,
      outcome,
      saw,
      duration_ms: durationMilliseconds,
    })),
  };
}
