import swagger from "@fastify/swagger";
import swaggerUi from "@fastify/swagger-ui";
import type { FastifyContextConfig, FastifyInstance } from "fastify";
import { Type, type TSchema } from "typebox";
import { gates } from "../../contract/gates.ts";
import { problems, type ProblemCode } from "../../contract/problems.ts";
import { tollgateVersion } from "../version.ts";
import { isAnonymous } from "./access.ts";
import { asCached } from "./negotiation.ts";
import { problemsOf, route, type AnyRoute } from "./route.ts";
import { readWebFile } from "./web-files.ts";
import { frameTop } from "./web-pages.ts";

/** RFC 9457 with the members of contract.md; which codes this operation may answer with under this status. */
function problemSchema(codes: readonly ProblemCode[]): TSchema {
  return Type.Object({
    type: Type.String({ format: "uri" }),
    title: Type.String(),
    status: Type.Integer(),
    detail: Type.String(),
    instance: Type.String(),
    code: Type.Enum([...codes]),
    request_id: Type.String(),
    gate: Type.Enum([...gates]),
    ...(codes.includes("validation-failed") ? { errors: Type.Array(faultSchema) } : {}),
  });
}

const faultSchema = Type.Object({ pointer: Type.String(), detail: Type.String(), code: Type.String() });

/** The OpenAPI 3.1 document, made from the routes' own declarations, and Swagger UI over it at `/docs`. */
export async function registerOpenApi(app: FastifyInstance): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: "3.1.0",
      info: {
        title: "Tollgate",
        version: tollgateVersion,
        description:
          "Accounts, authentication and rate limiting. Every request passes seven gates: route, limit, authenticate, authorize, validate, handle, depend. Every refusal says which one and why.",
      },
      // Wherever the document was read from: the page and the API are then always one origin.
      servers: [{ url: "/" }],
      components: {
        securitySchemes: {
          accessToken: {
            type: "http",
            scheme: "bearer",
            bearerFormat: "JWT",
            description: "The `token` of a sign-up or login, without the word Bearer.",
          },
        },
      },
    },
    hideUntagged: true,
    transform: ({ schema, url, route }) => {
      const definition = route.config?.guarded?.definition;
      if (definition === undefined || definition.hidden) return { schema: { ...schema, hide: true }, url };
      return { schema: operation(definition), url };
    },
  });
  await app.register(async (docs) => {
    docs.addHook("onRoute", (route) => {
      route.config = { ...route.config, guarded: docsGuard(route.url), answers: "docs" };
    });
    await docs.register(swaggerUi, {
      routePrefix: "/docs",
      uiConfig: { deepLinking: true, persistAuthorization: false, tryItOutEnabled: true, displayRequestDuration: true },
      theme: {
        title: "API docs · Tollgate",
        css: [{ filename: "frame.css", content: readWebFile("frame.css") + readWebFile("docs-frame.css") }],
        js: [{ filename: "frame.js", content: frameScript() }],
        favicon: [
          {
            filename: "favicon.svg",
            rel: "icon",
            type: "image/svg+xml",
            sizes: "any",
            content: readWebFile("favicon.svg"),
          },
        ],
      },
    });
  });
}

/** Swagger UI has a page of its own: our navigation is put above it, and its dark look follows the browser's. */
function frameScript(): string {
  const top = JSON.stringify(frameTop("/docs", "swagger-ui").text);
  return `document.body.insertAdjacentHTML("afterbegin", ${top});
document.getElementById("swagger-ui").tabIndex = -1;
const dark = matchMedia("(prefers-color-scheme: dark)");
const follow = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
dark.addEventListener("change", follow);
follow();
`;
}

/** The document itself, at an address of its own; written once all routes are known. */
export function openApiRoute(app: FastifyInstance): AnyRoute {
  let text: string | undefined;
  return route({
    method: "GET",
    url: "/openapi.json",
    tag: "Guide",
    summary: "This API as an OpenAPI 3.1 document",
    access: "public",
    limit: "api",
    success: {
      status: 200,
      description: "The document.",
      schema: Type.Object({}, { title: "OpenApi", additionalProperties: true }),
    },
    problems: [],
    handle: async (_request, reply) => {
      text ??= JSON.stringify(app.swagger());
      return asCached(reply, text, { mediaType: "application/json; charset=utf-8", maxAgeSeconds: 60 });
    },
  });
}

/** Swagger UI's own files: open to anyone, limited like everything else. */
function docsGuard(url: string): NonNullable<FastifyContextConfig["guarded"]> {
  const none = (): readonly never[] => [];
  return {
    definition: {
      method: "GET",
      url,
      tag: "docs",
      summary: "Swagger UI",
      access: "public",
      limit: "api",
      hidden: true,
      success: { status: 200, description: "A file of Swagger UI." },
      problems: [],
      handle: async () => undefined,
    },
    check: { path: none, query: none, body: none },
  };
}

function operation(definition: AnyRoute): Record<string, unknown> {
  const { params, query, body, success, access, summary, description, tag } = definition;
  return {
    summary,
    ...(description === undefined ? {} : { description }),
    tags: [tag],
    ...(params ? { params } : {}),
    ...(query ? { querystring: query } : {}),
    ...(body ? { body } : {}),
    ...(isAnonymous(access) ? {} : { security: [{ accessToken: [] }] }),
    ...(access === "this-machine" ? { "x-development-only": true } : {}),
    ...(isAnonymous(access) || access === "signed-in" ? {} : { "x-permission": access }),
    ...(definition.limit === "unlimited" ? {} : { "x-limit": definition.limit }),
    response: {
      [success.status]: successResponse(definition),
      ...(success.orNothing === undefined ? {} : { 204: { description: success.orNothing, type: "null" } }),
      ...problemResponses(problemsOf(definition)),
    },
  };
}

function successResponse({ success }: AnyRoute): Record<string, unknown> {
  const content: Record<string, { schema: TSchema }> = {};
  if (success.schema) content["application/json"] = { schema: success.schema };
  if (success.stream) content["text/event-stream"] = { schema: Type.String() };
  if (success.page) content["text/html"] = { schema: Type.String() };
  return { description: success.description, ...(Object.keys(content).length > 0 ? { content } : { type: "null" }) };
}

/** One response a status; its description says what each of its problems is. */
function problemResponses(codes: readonly ProblemCode[]): Record<number, unknown> {
  const byStatus = Map.groupBy(codes, (code) => problems[code].status);
  const responses: Record<number, unknown> = {};
  for (const [status, codesOfStatus] of byStatus) {
    responses[status] = {
      description: codesOfStatus.map((code) => `\`${code}\`: ${problems[code].title}.`).join(" "),
      content: { "application/problem+json": { schema: problemSchema(codesOfStatus) } },
    };
  }
  return responses;
}
