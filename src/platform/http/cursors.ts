import type { FastifyReply } from "fastify";
import { Type, type TArray, type TNull, type TObject, type TSchema, type TString, type TUnion } from "typebox";
import { Problem } from "../../contract/problems.ts";
import type { Platform } from "../platform.ts";
import { pathOf } from "./problem-details.ts";

export const pageLengthDefault = 50;
const pageLengthMax = 200;

/** What the query of every list that is read page by page can say. */
export const pageQuery = {
  cursor: Type.Optional(Type.String({ maxLength: 512, description: "`next_cursor` of the page before." })),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: pageLengthMax, default: pageLengthDefault })),
};

/** The body of such a list. */
export function pageOf<S extends TSchema>(
  item: S,
  title: string,
): TObject<{ items: TArray<S>; next_cursor: TUnion<[TString, TNull]> }> {
  return Type.Object(
    { items: Type.Array(item), next_cursor: Type.Union([Type.String(), Type.Null()]) },
    { title, description: "A page may be shorter than asked for; the list ends when `next_cursor` is null." },
  );
}

/**
 * Where a list goes on, as text that only this server can have written: it carries a tag of ours (Keto GO-2026-4801).
 * `list` names the list and whatever the position is worth nothing without, as its filters.
 */
export function writeCursor({ secrets }: Pick<Platform, "secrets">, list: string, position: string): string {
  return `${Buffer.from(position).toString("base64url")}.${secrets.tag("cursor", `${list}\0${position}`)}`;
}

/**
 * The position in a cursor of this list; `undefined` without a cursor.
 *
 * @throws Problem `validation-failed` for one that is not ours, or another list's
 */
export function readCursor(
  { secrets }: Pick<Platform, "secrets">,
  list: string,
  cursor: string | undefined,
): string | undefined {
  if (cursor === undefined) return undefined;
  const [, encoded = "", tag = ""] = /^([\w-]{1,440})\.([\w-]{1,64})$/.exec(cursor) ?? [];
  const position = Buffer.from(encoded, "base64url").toString();
  if (tag !== "" && secrets.isTag("cursor", `${list}\0${position}`, tag)) return position;
  const detail = "is not a cursor of this list; start without one";
  throw new Problem("validation-failed", { members: { errors: [{ pointer: "?cursor", detail, code: "cursor" }] } });
}

/** `Link: rel="next"` (RFC 8288 §3): the same list with the same query, from the cursor on. */
export function linkNext(reply: FastifyReply, query: Readonly<Record<string, unknown>>, cursor: string | null): void {
  if (cursor === null) return;
  const next = new URLSearchParams();
  for (const [name, value] of Object.entries({ ...query, cursor })) {
    if (value !== undefined) next.set(name, String(value));
  }
  reply.header("link", `<${pathOf(reply.request.url)}?${next}>; rel="next"`);
}
