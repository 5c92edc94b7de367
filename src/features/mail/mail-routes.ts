import { Type } from "typebox";
import { linkNext, pageLengthDefault, pageOf, pageQuery } from "../../platform/http/cursors.ts";
import type { GatedRequest } from "../../platform/http/gates.ts";
import { route, type AnyRoute } from "../../platform/http/route.ts";
import type { Platform } from "../../platform/platform.ts";
import { MailBody, readTimeline } from "./mail-timeline.ts";
import { noteMailOpened } from "./mail.ts";

export function mailRoutes(platform: Platform): readonly AnyRoute[] {
  return [
    route({
      method: "GET",
      url: "/admin/mail",
      tag: "Administration",
      summary: "What became of each mail?",
      description:
        "The newest first, a page at a time. `Link: rel=next` leads on. Neither what is in a mail nor its link is shown.",
      access: "mail:read",
      limit: "api",
      query: Type.Object({
        ...pageQuery,
        account_id: Type.Optional(Type.Integer({ description: "Only mails of this account." })),
        state: Type.Optional(MailBody.properties.state),
        q: Type.Optional(Type.String({ maxLength: 100, description: "Only mails to addresses that contain this." })),
      }),
      success: { status: 200, description: "A page of mails.", schema: pageOf(MailBody, "MailList") },
      problems: [],
      handle: async ({ query }, reply) => {
        const { cursor, limit = pageLengthDefault, ...filter } = query;
        const page = await readTimeline(platform, filter, { cursor, limit });
        linkNext(reply, query, page.next_cursor);
        return page;
      },
    }),
  ];
}

const mailPage = /^\/mail\/[a-z-]+\/?\?(?:[^#]*&)?m=([\w-]{1,64})(?:&|$)/;

/**
 * Notes who fetches the pages that links in mails lead to. Nothing waits for it, and it changes nothing but the timeline:
 * a GET never uses a link up.
 */
export function watchMailPages(
  platform: Platform,
  { url, method, headers }: Pick<GatedRequest, "url" | "method" | "headers">,
  status: number,
): void {
  const mailId = mailPage.exec(url)?.[1];
  const isFetched = (method === "GET" || method === "HEAD") && status < 400;
  if (mailId === undefined || !isFetched) return;
  void noteMailOpened(platform, mailId, headers).catch((error: unknown) =>
    platform.log.warn({ err: error }, "that a mail was opened was not noted"),
  );
}
