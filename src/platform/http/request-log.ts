import type { Problem } from "../../contract/problems.ts";
import type { Platform } from "../platform.ts";
import type { Passage } from "./gates.ts";
import { pathOf } from "./problem-details.ts";

/**
 * One line for each request: who, what, from where, which gate decided, how long. No query, no header, no body:
 * that is where secrets are.
 */
export function logRequest({ log }: Pick<Platform, "log">, passage: Passage, status: number): void {
  if (!log.isLevelEnabled("info")) return;
  const last = passage.trail.entries.at(-1);
  const isRefused = last?.outcome === "refused";
  const { gate, saw: code } = isRefused ? last : { gate: null, saw: null };
  log.info(lineOf(passage, { status, gate, code }), "request");
}

/** The line and the count of a request whose client left before it was answered. */
export function noteLeaving({ log, metrics }: Pick<Platform, "log" | "metrics">, passage: Passage): void {
  log.info(lineOf(passage, { status: null, gate: null, code: "client-left" }), "request");
  metrics.requestsLeft.inc();
}

function lineOf(
  { request: { id, method, url }, trail, identity, address }: Passage,
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
export function countAnswer({ metrics }: Pick<Platform, "metrics">, { trail, route }: Passage, status: number): void {
  const last = trail.entries.at(-1);
  const definition = route?.definition;
  const labels = { method: definition?.method ?? "none", route: definition?.url ?? "none" };
  const refusedBy = last?.outcome === "refused" ? last.gate : "none";
  metrics.requests.inc({ ...labels, status: String(status), refused_by: refusedBy });
  if (definition?.success.stream) return;
  metrics.requestSeconds.observe(labels, trail.elapsedMilliseconds() / 1000);
}
