import { Type, type Static } from "typebox";
import type { Events, EventType } from "../../contract/events.ts";
import { timestamp } from "../../platform/clock.ts";
import type { Caller } from "../../platform/http/access.ts";
import type { EventRow } from "./audit-store.ts";

/** What is shown of an event's payload besides its type. An allow-list, as are the types: what is new is not shown. */
const shownMembers: { readonly [T in EventType]?: readonly (keyof Events[T] & DetailName)[] } = {
  "account/created": [],
  "account/renamed": [],
  "account/email-verified": [],
  "account/email-changed": [],
  "account/takeover-reported": [],
  "account/role-changed": ["from", "to"],
  "account/disabled": [],
  "account/enabled": [],
  "password/changed": [],
  "password/reset": [],
  "session/started": ["session_id", "method"],
  "session/reauthenticated": ["session_id"],
  "session/refresh-reused": ["session_id"],
  "session/ended": ["session_id", "reason"],
};

type DetailName = "from" | "to" | "session_id" | "method" | "reason";

export const ownEventTypes = Object.keys(shownMembers) as EventType[];

export const OwnEventBody = Type.Object(
  {
    at: Type.String({ format: "date-time" }),
    type: Type.Enum(ownEventTypes),
    by: Type.Enum(["self", "administrator", "server", "unknown"], {
      description: "Who did it. `unknown`: whoever came with a refresh token that had been used.",
    }),
    address: Type.Union([Type.String(), Type.Null()], {
      description: "From where; null when an administrator did it, or the server by itself.",
    }),
    details: Type.Object({
      session_id: Type.Optional(Type.String()),
      method: Type.Optional(Type.String()),
      reason: Type.Optional(Type.String()),
      from: Type.Optional(Type.String()),
      to: Type.Optional(Type.String()),
    }),
  },
  { title: "OwnEvent" },
);

/** An event as the owner of the account may see it: nothing of an administrator but that it was one. */
export function ownEventBody(event: EventRow, { account }: Pick<Caller, "account">): Static<typeof OwnEventBody> {
  const payload = JSON.parse(event.payload) as Readonly<Record<string, unknown>>;
  const names: readonly string[] = shownMembers[event.type as EventType] ?? [];
  const isOwn = event.actor_id === account.id;
  return {
    at: timestamp(event.at),
    type: event.type as EventType,
    by: event.type === "session/refresh-reused" ? "unknown" : doer(event, isOwn),
    address: isOwn ? event.address : null,
    details: Object.fromEntries(names.flatMap((name) => (payload[name] === undefined ? [] : [[name, payload[name]]]))),
  };
}

function doer(event: EventRow, isOwn: boolean): "self" | "administrator" | "server" {
  if (isOwn) return "self";
  return event.actor_id === null ? "server" : "administrator";
}
