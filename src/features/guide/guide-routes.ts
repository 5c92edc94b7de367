import { Type } from "typebox";
import { problems, Problem, type ProblemCode } from "../../contract/problems.ts";
import { asCached, asPage, prefersHtml } from "../../platform/http/negotiation.ts";
import { route, type AnyRoute } from "../../platform/http/route.ts";
import type { PageAssets, WebBuild } from "../../platform/http/web-build.ts";
import { readWebFile } from "../../platform/http/web-files.ts";
import type { Platform } from "../../platform/platform.ts";
import { isDatabaseThere } from "../health/health.ts";
import { homePage } from "./home-page.ts";
import { readMadeExamples } from "./made-examples.ts";
import { ProblemEntryBody, problemEntryBody } from "./problem-entry-body.ts";
import type { Guide } from "./problem-guide.ts";
import { problemListPage, problemPage } from "./problem-pages.ts";

export function guideRoutes(platform: Platform, build: WebBuild): readonly AnyRoute[] {
  // The pages are complete without it; it adds what only a script can do.
  const assets = build.assetsOf("page");
  const guide = { config: platform.config, made: readMadeExamples(), assets };
  return [
    homeRoute(platform, assets),
    route({
      method: "GET",
      url: "/errors",
      tag: "Guide",
      summary: "Every problem this server answers with",
      access: "public",
      limit: "api",
      success: { status: 200, description: "The catalogue.", schema: catalogueSchema, page: true },
      problems: [],
      handle: async ({ headers }, reply) => {
        reply.header("vary", "accept");
        return prefersHtml(headers) ? asPage(platform, reply, problemListPage(guide)) : catalogue(guide);
      },
    }),
    route({
      method: "GET",
      url: "/errors.json",
      tag: "Guide",
      summary: "The catalogue of problems as JSON",
      access: "public",
      limit: "api",
      success: { status: 200, description: "The catalogue.", schema: catalogueSchema },
      problems: [],
      handle: async () => catalogue(guide),
    }),
    route({
      method: "GET",
      url: "/errors/:code",
      tag: "Guide",
      summary: "One problem: what happened, why, and what to do",
      access: "public",
      limit: "api",
      params: Type.Object({ code: Type.String({ maxLength: 64 }) }),
      success: { status: 200, description: "The problem.", schema: ProblemEntryBody, page: true },
      problems: ["problem-unknown"],
      handle: async ({ params, headers }, reply) => {
        if (!isProblemCode(params.code)) throw new Problem("problem-unknown");
        reply.header("vary", "accept");
        return prefersHtml(headers)
          ? asPage(platform, reply, problemPage(params.code, guide))
          : problemEntryBody(params.code, guide);
      },
    }),
    webFileRoute("/assets/", "tollgate.css", "text/css; charset=utf-8", ["frame.css", "tollgate.css"]),
    webFileRoute("/assets/", "favicon.svg", "image/svg+xml"),
    webFileRoute("/", "client.js", "text/javascript; charset=utf-8"),
    webFileRoute("/", "client.d.ts", "text/plain; charset=utf-8"),
  ];
}

const catalogueSchema = Type.Object({ problems: Type.Array(ProblemEntryBody) }, { title: "ProblemCatalogue" });

function homeRoute(platform: Platform, assets: PageAssets): AnyRoute {
  const { publicUrl, mode } = platform.config;
  const hasInbox = platform.mailer?.inbox !== undefined;
  return route({
    method: "GET",
    url: "/",
    tag: "Guide",
    summary: "Is it there?",
    description: "A browser gets the home page.",
    access: "public",
    limit: "api",
    success: {
      status: 200,
      description: "It is, and so is its database.",
      schema: Type.Object(
        {
          status: Type.Literal("ok"),
          name: Type.String(),
          docs: Type.String(),
          errors: Type.String(),
          openapi: Type.String(),
        },
        { title: "Status" },
      ),
      page: true,
    },
    problems: [],
    handle: async ({ headers }, reply) => {
      reply.header("vary", "accept");
      const databaseUp = await isDatabaseThere(platform);
      if (prefersHtml(headers)) {
        return asPage(platform, reply, homePage({ mode, publicUrl, databaseUp, hasInbox, assets }));
      }
      if (!databaseUp) throw new Problem("database-unavailable", { headers: { "retry-after": "1" } });
      return {
        status: "ok",
        name: "Tollgate",
        docs: `${publicUrl}/docs`,
        errors: `${publicUrl}/errors`,
        openapi: `${publicUrl}/openapi.json`,
      };
    },
  });
}

/** @param parts of web/, in this order, that make the file; itself if not said. */
function webFileRoute(folder: string, name: string, mediaType: string, parts: readonly string[] = [name]): AnyRoute {
  const text = parts.map(readWebFile).join("");
  return route({
    method: "GET",
    url: folder + name,
    tag: "Guide",
    summary: "A file of the pages",
    access: "public",
    limit: "api",
    hidden: true,
    success: { status: 200, description: "The file." },
    problems: [],
    handle: async (_request, reply) => asCached(reply, text, { mediaType, maxAgeSeconds: 300 }),
  });
}

function isProblemCode(code: string): code is ProblemCode {
  return Object.hasOwn(problems, code);
}

function catalogue(guide: Guide): { problems: ProblemEntryBody[] } {
  const codes = Object.keys(problems).filter(isProblemCode);
  return { problems: codes.map((code) => problemEntryBody(code, guide)) };
}
