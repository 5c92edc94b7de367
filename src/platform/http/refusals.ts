import type { FastifyReply, FastifyRequest } from "fastify";
import type { Problem } from "../../contract/problems.ts";
import type { Platform } from "../platform.ts";
import { GateTrail } from "./gate-trail.ts";
import { asProblem, pathOf, sendProblem } from "./problem-details.ts";
import { noteUnreadable } from "./request-log.ts";

/** Every refusal ends here: the trail gets its last entry, the decision is kept, the answer is problem+json. */
export async function refuse(
  platform: Platform,
  error: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<void> {
  const problem = asProblem(error);
  if (problem.status >= 500) {
    platform.log[problem.code === "internal" ? "error" : "warn"]({
      request_id: request.id,
      code: problem.code,
      err: problem.cause ?? problem,
    });
  }
  // A target that the router could not read is refused before there is a passage, and before the hooks.
  const passage = request.passage as FastifyRequest["passage"] | undefined;
  if (passage === undefined) noteUnreadable(platform, request.id, problem);
  recordDecision(platform, problem, request, passage);
  await sendProblem(platform, problem, request, reply);
}

function recordDecision(
  { clock, realClock, decisions }: Platform,
  problem: Problem,
  request: FastifyRequest,
  passage: FastifyRequest["passage"] | undefined,
): void {
  const trail = passage?.trail ?? new GateTrail(realClock.monotonicNow);
  trail.refused(problem.gate, problem.code);
  decisions.record({
    requestId: request.id,
    at: clock.now(),
    method: request.method,
    path: pathOf(request.url),
    status: problem.status,
    decidedBy: problem.gate,
    code: problem.code,
    accountId: passage?.identity.kind === "caller" ? passage.identity.caller.account.id : null,
    address: passage?.address ?? "",
    gates: trail.entries,
  });
}
