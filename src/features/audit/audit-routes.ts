import { Type, type Static } from "typebox";
import { type EventType, eventMeanings } from "../../contract/events.ts";
import { timestamp } from "../../platform/clock.ts";
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
import { listEventsBefore, type EventRow } from "./audit-store.ts";
import { OwnEventBody, ownEventBody, ownEventTypes } from "./own-events.ts";

const eventTypes = Object.keys(eventMeanings) as EventType[];
const orNull = { integer: Type.Union([Type.Integer(), Type.Null()]), text: Type.Union([Type.String(), Type.Null()]) };

const EventBody = Type.Object(
  {
    id: Type.Integer(),
    at: Type.String({ format: "date-time" }),
    type: Type.Enum(eventTypes),
    actor_id: Type.Union([Type.Integer(), Type.Null()], { description: "Who did it; null is the server itself." }),
    account_id: Type.Union([Type.Integer(), Type.Null()], { description: "To whom." }),
    request_id: orNull.text,
    address: orNull.text,
    payload: Type.Record(Type.String(), Type.Unknown()),
  },
  { title: "Event" },
);

const EventsQuery = Type.Object({
  ...pageQuery,
  account_id: Type.Optional(Type.Integer({ description: "Only what happened to this account." })),
  type: Type.Optional(Type.Enum(eventTypes)),
});

const ownEventsMax = 50;

export function auditRoutes(platform: Platform): readonly AnyRoute[] {
  return [
    route({
      method: "GET",
      url: "/admin/events",
      tag: "Administration",
      summary: "What happened",
      description: "The audit log, the newest first, a page at a time. `Link: rel=next` leads on.",
      access: "audit:read",
      limit: "api",
      query: EventsQuery,
      success: { status: 200, description: "A page of events.", schema: pageOf(EventBody, "EventList") },
      problems: [],
      handle: async ({ query }, reply) => {
        const page = await readEventPage(platform, query);
        linkNext(reply, query, page.next_cursor);
        return page;
      },
    }),
    route({
      method: "GET",
      url: "/users/me/events",
      tag: "Accounts",
      summary: "What changed lately on my account?",
      access: "signed-in",
      limit: "api",
      success: {
        status: 200,
        description: `The newest first; at most ${ownEventsMax}.`,
        schema: Type.Object({ items: Type.Array(OwnEventBody) }, { title: "OwnEventList" }),
      },
      problems: [],
      handle: async ({ caller }) => {
        const filter = { accountId: caller.account.id, types: ownEventTypes };
        const events = await listEventsBefore(platform, filter, { before: undefined, count: ownEventsMax });
        return { items: events.map((event) => ownEventBody(event, caller)) };
      },
    }),
  ];
}

async function readEventPage(
  platform: Pick<Platform, "db" | "secrets">,
  { cursor, limit = pageLengthDefault, account_id: accountId, type }: Static<typeof EventsQuery>,
): Promise<{ items: Static<typeof EventBody>[]; next_cursor: string | null }> {
  const list = JSON.stringify(["events", accountId, type]);
  const position = readCursor(platform, list, cursor);
  const before = position === undefined ? undefined : Number(position);
  const types = type === undefined ? undefined : [type];
  const found = await listEventsBefore(platform, { accountId, types }, { before, count: limit + 1 });
  const events = found.slice(0, limit);
  const last = found.length > limit ? events.at(-1) : undefined;
  return {
    items: events.map(eventBody),
    next_cursor: last === undefined ? null : writeCursor(platform, list, String(last.id)),
  };
}

function eventBody(event: EventRow): Static<typeof EventBody> {
  return {
    id: event.id,
    at: timestamp(event.at),
    type: event.type as EventType,
    actor_id: event.actor_id,
    account_id: event.account_id,
    request_id: event.request_id,
    address: event.address,
    payload: JSON.parse(event.payload) as Record<string, unknown>,
  };
}
