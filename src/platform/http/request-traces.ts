import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { RequestSpan, Tracing } from "../telemetry/tracing.ts";
import { createTrust } from "./client-address.ts";

/**
 * One span for each request, by its declared route: no target, no query, no header is in it. A `traceparent` counts only
 * where forwarding headers do: a stranger neither joins nor fills the traces of others.
 */
export function traceRequests(app: FastifyInstance, tracing: Tracing, trustedProxies: readonly string[]): void {
  const isTrusted = createTrust(trustedProxies);
  const spans = new WeakMap<FastifyRequest, RequestSpan>();
  const end = (request: FastifyRequest, status: number | undefined): void => {
    const span = spans.get(request);
    if (span === undefined) return;
    spans.delete(request);
    tracing.end(span, about(request, status));
  };
  app.addHook("onRequest", (request, _reply, done) => {
    const { traceparent } = request.headers;
    const isBelieved = typeof traceparent === "string" && isTrusted(request.raw.socket.remoteAddress ?? "");
    const span = tracing.begin(isBelieved ? traceparent : undefined);
    spans.set(request, span);
    tracing.within(span, done);
  });
  // The body is read in the socket's own context: what follows is the request's again.
  app.addHook("preValidation", (request, _reply, done) => {
    const span = spans.get(request);
    if (span === undefined) done();
    else tracing.within(span, done);
  });
  app.addHook("onRequestAbort", async (request) => end(request, undefined));
  app.addHook("onResponse", async (request: FastifyRequest, reply: FastifyReply) => end(request, reply.statusCode));
}

function about({ id, passage }: FastifyRequest, status: number | undefined): Parameters<Tracing["end"]>[1] {
  const { route, trail, identity } = passage;
  const { method = "none", url = "none" } = route?.definition ?? {};
  const last = trail.entries.at(-1);
  const isRefused = last?.outcome === "refused";
  return {
    name: route === undefined ? "no such route" : `${method} ${url}`,
    isFailed: status !== undefined && status >= 500,
    attributes: {
      "http.request.method": method,
      "http.route": url,
      ...(status === undefined ? {} : { "http.response.status_code": status }),
      "tollgate.request_id": id,
      "tollgate.gate": isRefused ? last.gate : "none",
      ...(isRefused ? { "tollgate.code": last.saw } : {}),
      "tollgate.signed_in": identity.kind === "caller" ? "yes" : "no",
    },
  };
}
