import type { FastifyReply } from "fastify";
import { type Awaitable, whenThere } from "../awaitable.ts";
import { gatesOfHandler, isStillAllowed, type Passage } from "./gates.ts";
import type { AnyRoute } from "./route.ts";
import { shownText } from "./shown-text.ts";

const userAgentLengthMax = 256;

/** The last two gates: the handler's work, and its answer, or a promise of it. */
export function handle(passage: Passage, definition: AnyRoute, reply: FastifyReply): Awaitable<unknown> {
  return whenThere(definition.handle(routeRequest(passage), reply), (answer) => {
    noteHandled(passage);
    return answer;
  });
}

/** The handler's gates are passed. */
export function noteHandled({ trail }: Passage): void {
  for (const gate of gatesOfHandler) trail.passed(gate, gate === "handle" ? "done" : "all there");
}

function routeRequest(passage: Passage): Parameters<AnyRoute["handle"]>[0] {
  const { request, identity, address, counted, params, query } = passage;
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
