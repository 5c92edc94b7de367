import type { FastifyReply } from "fastify";
import { type Static, Type } from "typebox";
import { Problem } from "../../contract/problems.ts";
import { timestamp } from "../../platform/clock.ts";
import { asPage, prefersHtml } from "../../platform/http/negotiation.ts";
import { route, type AnyRoute } from "../../platform/http/route.ts";
import type { MailInbox, OutgoingMail } from "../../platform/mail/mailer.ts";
import type { Platform } from "../../platform/platform.ts";
import { inboxPage, mailListPage } from "./development-mail-pages.ts";
import { sampleMail } from "./mail-samples.ts";
import { mailTemplates } from "./mail-templates.ts";
import { mailKinds } from "./mail-texts.ts";

const forThisMachine = { tag: "Development", access: "this-machine", limit: "api" } as const;
const content = { subject: Type.String(), text: Type.String(), html: Type.String() };

const InboxMailBody = Type.Object(
  {
    id: Type.String(),
    at: Type.String({ format: "date-time" }),
    to: Type.String(),
    ...content,
    links: Type.Array(Type.String(), { description: "The addresses in the text: they work." }),
  },
  { title: "InboxMail" },
);

/** The inbox of a development server, and how each mail looks. In production there are none: not hidden, not registered. */
export function developmentMailRoutes(platform: Platform): readonly AnyRoute[] {
  if (platform.config.mode !== "development") return [];
  const inbox = platform.mailer?.inbox;
  return [...(inbox ? inboxRoutes(platform, inbox) : []), ...previewRoutes(platform)];
}

function inboxRoutes(platform: Platform, inbox: MailInbox): readonly AnyRoute[] {
  return [
    route({
      ...forThisMachine,
      method: "GET",
      url: "/dev/inbox",
      summary: "The mail that this server has sent",
      description:
        "Without SMTP_URL it goes nowhere else. The newest first; the last 200 are kept while the server runs.",
      success: {
        status: 200,
        description: "The mails.",
        schema: Type.Object({ items: Type.Array(InboxMailBody) }, { title: "Inbox" }),
        page: true,
      },
      problems: [],
      handle: async ({ headers }, reply) => {
        reply.header("vary", "accept");
        const mails = inbox.mails();
        return prefersHtml(headers) ? asPage(platform, reply, inboxPage(mails)) : { items: mails.map(inboxMailBody) };
      },
    }),
    route({
      ...forThisMachine,
      method: "DELETE",
      url: "/dev/inbox",
      summary: "Empty the inbox",
      success: { status: 204, description: "It is empty." },
      problems: [],
      handle: async () => inbox.clear(),
    }),
    route({
      ...forThisMachine,
      method: "GET",
      url: "/dev/inbox/:id",
      summary: "One mail",
      description: "A browser gets it as a mail program shows it.",
      params: Type.Object({ id: Type.String({ maxLength: 64 }) }),
      success: { status: 200, description: "The mail.", schema: InboxMailBody, page: true },
      problems: ["mail-not-found"],
      handle: async ({ params, headers }, reply) => {
        const mail = inbox.mails().find(({ messageId }) => messageId === params.id);
        if (mail === undefined) throw new Problem("mail-not-found");
        return prefersHtml(headers) ? asMailPage(reply, mail.html) : inboxMailBody(mail);
      },
    }),
  ];
}

function inboxMailBody({ messageId, writtenAt, to, subject, text, html }: OutgoingMail): Static<typeof InboxMailBody> {
  const links = [...new Set([...text.matchAll(/https?:\/\/\S+[^\s.,]/g)].map(([link]) => link))];
  return { id: messageId, at: timestamp(writtenAt), to, subject, text, html, links };
}

function previewRoutes(platform: Platform): readonly AnyRoute[] {
  const locales = [...mailTemplates(platform).texts.keys()];
  return [
    route({
      ...forThisMachine,
      method: "GET",
      url: "/dev/mail",
      summary: "Every mail that there is",
      success: {
        status: 200,
        description: "Their kinds and languages.",
        schema: Type.Object(
          { kinds: Type.Array(Type.Enum([...mailKinds])), locales: Type.Array(Type.String()) },
          { title: "MailKinds" },
        ),
        page: true,
      },
      problems: [],
      handle: async ({ headers }, reply) => {
        reply.header("vary", "accept");
        return prefersHtml(headers)
          ? asPage(platform, reply, mailListPage(mailKinds, locales))
          : { kinds: mailKinds, locales };
      },
    }),
    route({
      ...forThisMachine,
      method: "GET",
      url: "/dev/mail/:kind",
      summary: "How a mail looks",
      description: "With made-up facts. A browser gets it as a mail program shows it.",
      params: Type.Object({ kind: Type.Enum([...mailKinds]) }),
      query: Type.Object({ locale: Type.Optional(Type.String({ maxLength: 35 })) }),
      success: {
        status: 200,
        description: "The mail.",
        schema: Type.Object(content, { title: "MailPreview" }),
        page: true,
      },
      problems: [],
      handle: async ({ params, query, headers }, reply) => {
        const mail = sampleMail(platform, params.kind, query.locale ?? null);
        reply.header("vary", "accept");
        return prefersHtml(headers) ? asMailPage(reply, mail.html) : mail;
      },
    }),
  ];
}

/** A mail brings its style along, and nothing else is allowed to it. */
function asMailPage(reply: FastifyReply, html: string): string {
  reply.header(
    "content-security-policy",
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  );
  reply.header("vary", "accept").type("text/html; charset=utf-8");
  return html;
}
