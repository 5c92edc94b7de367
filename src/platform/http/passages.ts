import type { FastifyInstance } from "fastify";
import type { Platform } from "../platform.ts";
import type { Authenticate } from "./access.ts";
import { createClientAddress } from "./client-address.ts";
import type { DirectAnswers } from "./direct-answers.ts";
import { GateTrail } from "./gate-trail.ts";
import type { GatedReply, GatedRequest, Passage } from "./gates.ts";
import { securityHeaders } from "./security-headers.ts";

const methodsUsed = "DELETE, GET, HEAD, PATCH, POST, PUT";

export type BeginPassage = (
  request: GatedRequest,
  reply: GatedReply,
  about: Pick<Passage, "route" | "allowedMethods">,
) => Passage;

/** For one request on its way: who asks, and nothing decided. */
export function createBeginPassage(platform: Platform, authenticate: Authenticate): BeginPassage {
  const clientAddress = createClientAddress(platform.config.trustedProxies);
  return (request, reply, { route, allowedMethods }) => {
    const peer = request.raw.socket.remoteAddress ?? "";
    const { "x-forwarded-for": forwardedFor, forwarded } = request.headers;
    platform.forwarding.saw({ peer, forwardedFor, forwarded });
    return {
      platform,
      authenticate,
      request,
      reply,
      route,
      allowedMethods,
      address: clientAddress(peer, forwardedFor),
      trail: new GateTrail(platform.realClock.monotonicNow),
      identity: { kind: "anonymous" },
      counted: undefined,
      query: {},
      params: {},
    };
  };
}

/** Every request gets its passage and every answer its headers, before anything can refuse it. */
export function openPassage(
  app: FastifyInstance,
  { config }: Platform,
  { begin, begunOf }: { readonly begin: BeginPassage; readonly begunOf: DirectAnswers["begunOf"] },
): void {
  const headers = securityHeaders(config.publicUrl);
  app.decorateRequest("passage");
  app.addHook("onRequest", (request, reply, done) => {
    const { guarded, allowedMethods, answers = "api" } = request.routeOptions.config;
    reply.headers(headers[answers]).header("x-request-id", request.id);
    const begun = begunOf(request.raw);
    if (begun) {
      reply.headers(begun.headers);
      request.passage = Object.assign(begun.passage, { request, reply });
    } else {
      request.passage = begin(request, reply, {
        route: guarded,
        allowedMethods: app.supportedMethods.includes(request.method) ? allowedMethods : methodsUsed,
      });
    }
    done();
  });
}
