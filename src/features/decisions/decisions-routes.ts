import { Type, type Static } from "typebox";
import { Problem } from "../../contract/problems.ts";
import {
  linkNext,
  pageLengthDefault,
  pageOf,
  pageQuery,
  readCursor,
  writeCursor,
} from "../../platform/http/cursors.ts";
import { route, type AnyRoute } from "../../platform/http/route.ts";
import type { Platform } from "../../platform/platform.ts";
import { DecisionBody, decisionBody, GateName } from "./decision-body.ts";
import type { DecisionStreams } from "./decisions.ts";

const tag = "Administration";
const access = "audit:read";

const filterQuery = {
  gate: Type.Optional(GateName),
  code: Type.Optional(Type.String({ maxLength: 64, description: "The code of the problem, as permission-denied." })),
  status: Type.Optional(Type.Integer({ minimum: 400, maximum: 599 })),
};

const DecisionsQuery = Type.Object({ ...pageQuery, ...filterQuery });

const DecisionList = pageOf(DecisionBody, "DecisionList");

export function decisionRoutes(
  platform: Pick<Platform, "decisions" | "secrets">,
  streams: DecisionStreams,
): readonly AnyRoute[] {
  return [listRoute(platform), streamRoute(streams), findRoute(platform)];
}

function findRoute({ decisions }: Pick<Platform, "decisions">): AnyRoute {
  return route({
    method: "GET",
    url: "/admin/decisions/:request_id",
    tag,
    summary: "Why was a request refused?",
    description: "The gates that the request passed and what decided it. The last 10,000 refusals are kept.",
    access,
    limit: "api",
    params: Type.Object({ request_id: Type.String({ maxLength: 128 }) }),
    success: { status: 200, description: "The way of the request.", schema: DecisionBody },
    problems: ["decision-not-found"],
    handle: async ({ params }) => {
      const decision = await decisions.find(params.request_id);
      if (decision === undefined) throw new Problem("decision-not-found");
      return decisionBody(decision);
    },
  });
}

function listRoute(platform: Pick<Platform, "decisions" | "secrets">): AnyRoute {
  return route({
    method: "GET",
    url: "/admin/decisions",
    tag,
    summary: "The last refusals",
    description:
      "The newest first, a page at a time. The last 10,000 are kept while the server runs; with Redis, of all processes and for a week.",
    access,
    limit: "api",
    query: DecisionsQuery,
    success: { status: 200, description: "A page of refusals.", schema: DecisionList },
    problems: [],
    handle: async ({ query }, reply) => {
      const page = await readDecisionPage(platform, query);
      linkNext(reply, query, page.next_cursor);
      return page;
    },
  });
}

async function readDecisionPage(
  platform: Pick<Platform, "decisions" | "secrets">,
  { cursor, limit = pageLengthDefault, gate, code, status }: Static<typeof DecisionsQuery>,
): Promise<Static<typeof DecisionList>> {
  const list = JSON.stringify(["decisions", gate, code, status]);
  const position = readCursor(platform, list, cursor);
  const before = position === undefined ? undefined : Number(position);
  const found = await platform.decisions.list({ gate, code, status }, { before, count: limit + 1 });
  const decisions = found.slice(0, limit);
  const last = found.length > limit ? decisions.at(-1) : undefined;
  return {
    items: decisions.map(decisionBody),
    next_cursor: last ? writeCursor(platform, list, String(last.number)) : null,
  };
}

function streamRoute(streams: DecisionStreams): AnyRoute {
  return route({
    method: "GET",
    url: "/admin/decisions/stream",
    tag,
    summary: "Refusals as they happen",
    description:
      "Server-Sent Events. Each `decision` event has an `id`, and its `data` is a Decision as in the list; with `Last-Event-ID` the stream goes on behind that one, as far as refusals are kept. A comment every 15 seconds shows that it lives. It ends when the token expires, the session ends, the role is taken away, the reader is too slow or the server stops: connect again with `Last-Event-ID`.",
    access,
    limit: "api",
    query: Type.Object(filterQuery),
    success: { status: 200, description: "The stream.", stream: true },
    problems: ["too-many-streams"],
    handle: async ({ query, caller, headers, isStillAllowed }, reply) =>
      streams.open(
        { filter: query, accountId: caller.account.id, lastEventId: headers["last-event-id"], isStillAllowed },
        reply,
      ),
  });
}
