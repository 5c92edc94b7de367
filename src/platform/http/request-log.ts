import type { FastifyReply, FastifyRequest } from "fastify";
import type { Platform } from "../platform.ts";
import { pathOf } from "./problem-details.ts";

/**
 * One line for each request: who, what, from where, which gate decided, how long. No query, no header, no body:
 * that is where secrets are.
 */
export function logRequest({ log }: Pick<Platform, "log">, request: FastifyRequest, reply: FastifyReply): void {
  const { trail, identity, address } = request.passage;
  const last = trail.entries.at(-1);
  const isRefused = last?.outcome === "refused";
  log.info(
    {
      request_id: request.id,
      method: request.method,
      path: pathOf(request.url),
      status: reply.statusCode,
      gate: isRefused ? last.gate : null,
      code: isRefused ? last.saw : null,
      duration_ms: Math.round(trail.elapsedMilliseconds() * 1000) / 1000,
      address,
      account_id: identity.kind === "caller" ? identity.caller.account.id : null,
    },
    "request",
  );
}

/** Counts an answer. How long a stream stayed open says nothing about how fast the server is. */
export function countAnswer({ metrics }: Pick<Platform, "metrics">, { passage }: FastifyRequest): void {
  const last = passage.trail.entries.at(-1);
  metrics.requests.inc({ refused_by: last?.outcome === "refused" ? last.gate : "none" });
  if (passage.route?.definition.success.stream) return;
  metrics.requestSeconds.observe(passage.trail.elapsedMilliseconds() / 1000);
}
