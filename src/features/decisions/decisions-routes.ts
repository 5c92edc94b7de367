import { Type } from "typebox";
import { gates } from "../../contract/gates.ts";
import { Problem } from "../../contract/problems.ts";
import { timestamp } from "../../platform/clock.ts";
import { route, type AnyRoute } from "../../platform/http/route.ts";
import type { Platform } from "../../platform/platform.ts";

const GateName = Type.Enum([...gates]);

const DecisionBody = Type.Object(
  {
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

export function decisionRoutes({ decisions }: Pick<Platform, "decisions">): readonly AnyRoute[] {
  return [
    route({
      method: "GET",
      url: "/admin/decisions/:request_id",
      tag: "Administration",
      summary: "Why was a request refused?",
      description: "The gates that the request passed and what decided it. The last 10,000 refusals are kept.",
      access: "audit:read",
      limit: "api",
      params: Type.Object({ request_id: Type.String({ maxLength: 128 }) }),
      success: { status: 200, description: "The way of the request.", schema: DecisionBody },
      problems: ["decision-not-found"],
      handle: async ({ params }) => {
        const decision = await decisions.find(params.request_id);
        if (decision === undefined) throw new Problem("decision-not-found");
        return {
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
      },
    }),
  ];
}
