import type { FastifyReply, FastifyRequest } from "fastify";
import type { Problem } from "../../contract/problems.ts";
import type { Platform } from "../platform.ts";
import { pathOf } from "./problem-details.ts";

/**
 * One line for each request: who, what, from where, which gate decided, how long. No query, no header, no body:
 * that is where secrets are.
 */
export function logRequest({ log }: Pick<Platform, "log">, request: FastifyRequest, reply: FastifyReply): void {
  if (!log.isLevelEnabled("info")) return;
  const last = request.passage.trail.entries.at(-1);
  const isRefused = last?.outcome === "refused";
  const { gate, saw: code } = isRefused ? last : { gate: null, saw: null };
  log.info(lineOf(request, { status: reply.statusCode, gate, code }), "request");
}

/** The line and the count of a request whose client left before it was answered. */
export function noteLeaving({ log, metrics }: Pick<Platform, "log" | "metrics">, request: FastifyRequest): void {
  log.info(lineOf(request, { status: null, gate: null, code: "client-left" }), "request");
  metrics.requestsLeft.inc();
}

function lineOf(
  { id, method, url, passage: { trail, identity, address } }: FastifyRequest,
  outcome: { readonly status: number | null; readonly gate: string | null; readonly code: string | null },
): Readonly<Record<string, unknown>> {
  return {
    request_id: id,
    method,
    path: pathOf(url),
    ...outcome,
    duration_ms: Math.round(trail.elapsedMilliseconds() * 1000) / 1000,
    address,
    account_id: identity.kind === "caller" ? identity.caller.account.id : null,
  };
}

/** The line and the count of what was never a request: Node's parser or the router could not read it. */
export function noteUnreadable(
  { log, metrics }: Pick<Platform, "log" | "metrics">,
  requestId: string,
  { status, gate, code }: Problem,
): void {
  log.info({ request_id: requestId, status, gate, code }, "request");
  metrics.requests.inc({ method: "none", route: "none", status: String(status), refused_by: gate });
}

/** Counts an answer. How long a stream stayed open says nothing about how fast the server is. */
export function countAnswer(
  { metrics }: Pick<Platform, "metrics">,
  { passage }: FastifyRequest,
  reply: FastifyReply,
): void {
  const last = passage.trail.entries.at(-1);
  const definition = passage.route?.definition;
  const labels = { method: definition?.method ?? "none", route: definition?.url ?? "none" };
  const refusedBy = last?.outcome === "refused" ? last.gate : "none";
  metrics.requests.inc({ ...labels, status: String(reply.statusCode), refused_by: refusedBy });
  if (definition?.success.stream) return;
  metrics.requestSeconds.observe(labels, passage.trail.elapsedMilliseconds() / 1000);
}
