import type { OutgoingHttpHeaders } from "node:http";
import type { FastifyReply, FastifyRequest } from "fastify";
import { type Awaitable, whenThere } from "../awaitable.ts";
import { gatesBeforeHandler, gatesOfHandler, isStillAllowed, passGates, type Passage } from "./gates.ts";
import type { AnyRoute } from "./route.ts";
import { shownText } from "./shown-text.ts";

const userAgentLengthMax = 256;

/** The last two gates: the handler's work, and its answer, or a promise of it. */
export function handle(request: FastifyRequest, definition: AnyRoute, reply: FastifyReply): Awaitable<unknown> {
  return whenThere(definition.handle(routeRequest(request), reply), (answer) => {
    const { trail } = request.passage;
    for (const gate of gatesOfHandler) trail.passed(gate, gate === "handle" ? "done" : "all there");
    return answer;
  });
}

/**
 * Answers a request that passed the gates before the body, if its route has no body and nothing to wait for. Says whether
 * it did.
 *
 * All gates are passed as anywhere else, and the answer is the same byte for byte; only Fastify's further stations are
 * left out, which are half of what such a request costs. `finish` sets the last headers, as `onSend` does elsewhere.
 */
export function answerAtOnce(
  request: FastifyRequest,
  reply: FastifyReply,
  finish: (passage: Passage, reply: FastifyReply) => void,
): boolean {
  const { passage } = request;
  const definition = passage.route?.definition;
  if (definition?.atOnce === undefined || request.method !== definition.method) return false;
  void passGates(gatesBeforeHandler, passage); // Nothing there waits.
  const { status } = definition.success;
  const answer = handle(request, definition, reply) as Record<string, unknown>;
  const serialize = reply.getSerializationFunction(String(status)) ?? JSON.stringify;
  const text: string = serialize(answer);
  finish(passage, reply);
  reply.hijack();
  const headers = reply.getHeaders() as OutgoingHttpHeaders; // A copy.
  headers["content-type"] = "application/json; charset=utf-8";
  headers["content-length"] = Buffer.byteLength(text);
  reply.raw.writeHead(status, headers).end(text);
  return true;
}

function routeRequest(request: FastifyRequest): Parameters<AnyRoute["handle"]>[0] {
  const { passage } = request;
  const { identity, address, counted, params, query } = passage;
  return {
    params,
    query,
    body: request.body as never,
    caller: identity.kind === "caller" ? identity.caller : undefined,
    origin: { requestId: request.id, address, userAgent: neutral(request.headers["user-agent"]) },
    counted,
    headers: request.headers,
    isStillAllowed: async () => isStillAllowed(passage),
  };
}

// A user agent is shown in lists, mails and terminals: not more than a line.
function neutral(userAgent: string | undefined): string | null {
  return userAgent === undefined ? null : shownText(userAgent).slice(0, userAgentLengthMax);
}
