import type http from "node:http";
import type { Socket } from "node:net";
import type { SecureContextOptions } from "node:tls";
import cors from "@fastify/cors";
import fastify, {
  LogController,
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyRequest,
  type RouteOptions,
} from "fastify";
import { Problem } from "../../contract/problems.ts";
import { whenThere } from "../awaitable.ts";
import { createPace } from "../pace.ts";
import type { Platform } from "../platform.ts";
import type { Authenticate } from "./access.ts";
import { handle } from "./answers.ts";
import { answerBrokenConnection } from "./broken-connections.ts";
import { createDirectAnswers, type DirectAnswers } from "./direct-answers.ts";
import { isTrailShown } from "./gate-trail.ts";
import { gatesBeforeBody, gatesBeforeHandler, passGates } from "./gates.ts";
import type { GatedRequest, GuardedRoute, Passage } from "./gates.ts";
import { parseJsonBody } from "./json-body.ts";
import { createBeginPassage, openPassage } from "./passages.ts";
import { lazySerializers } from "./lazy-serializers.ts";
import { openApiRoute, registerOpenApi } from "./openapi.ts";
import { refuse } from "./refusals.ts";
import { traceRequests } from "./request-traces.ts";
import { countAnswer, logRequest, noteLeaving } from "./request-log.ts";
import type { AnyRoute } from "./route.ts";
import { type SecurityHeaders, securityHeaders } from "./security-headers.ts";
import { createChecker, type Checker } from "./validation.ts";

declare module "fastify" {
  interface FastifyRequest {
    passage: Passage;
  }
  interface FastifyContextConfig {
    guarded?: GuardedRoute;
    /** A known path, another method. */
    allowedMethods?: string;
    /** Which security headers its answers carry; those of programs if not said. */
    answers?: keyof SecurityHeaders;
  }
}

const bodyBytesMax = 64 * 1024;

export type ServerParts = {
  readonly routes: readonly AnyRoute[];
  readonly authenticate: Authenticate;
  /** The certificate and its key, if this server is to speak TLS. */
  readonly tls: SecureContextOptions | undefined;
  /** From now on each connection ends with its answer. */
  readonly isStopping: () => boolean;
  /** Sees each request when it is answered. */
  readonly onAnswered?: (request: GatedRequest, status: number) => void;
};

/** The HTTP server: every request of every route passes the gates of gates.ts. Not listening yet. */
export async function createServer(platform: Platform, parts: ServerParts): Promise<FastifyInstance> {
  const { config, secrets } = platform;
  const log: FastifyBaseLogger = platform.log;
  const busy = new WeakSet<Socket>();
  const routes = parts.routes.map(guarded);
  const begin = createBeginPassage(platform, parts.authenticate);
  const direct = createDirectAnswers(platform, {
    ...parts,
    begin: (request, reply, route) => begin(request, reply, { route, allowedMethods: undefined }),
    routes: routes.filter(({ definition }) => definition.ofAccountAlone),
    headers: securityHeaders(config.publicUrl).api,
    busy,
  });
  const app = fastify({
    loggerInstance: withoutChildren(log),
    logController: new LogController({ disableRequestLogging: true }),
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: 4096 },
    genReqId: (raw) => direct.begunOf(raw)?.passage.request.id ?? secrets.uuid(),
    requestIdHeader: false,
    schemaController: lazySerializers,
    bodyLimit: bodyBytesMax,
    // Slow clients are cut (security.md X13): headers within 10 seconds, the whole request within 30.
    requestTimeout: 30_000,
    keepAliveTimeout: 10_000,
    // A request without a Host is refused at the route gate, in the same words as any other.
    ...transport(parts.tls),
    return503OnClosing: false,
    forceCloseConnections: "idle",
    clientErrorHandler: (error, socket) => answerBrokenConnection(platform, error, socket, busy.has(socket)),
    // A target that cannot be decoded is refused before there is a route, a hook or a passage.
    frameworkErrors: (error, request, reply) => {
      reply.headers(securityHeaders(config.publicUrl).api).header("x-request-id", request.id);
      void refuse(platform, error, request, reply);
    },
  });
  acceptJsonOnly(app);
  openPassage(app, platform, { begin, begunOf: direct.begunOf });
  if (platform.tracing) traceRequests(app, platform.tracing, config.trustedProxies);
  // Between the two: a browser's question before the request (preflight) is answered before the gates, and logged.
  if (config.corsOrigins.length > 0) await allowOrigins(app, config.corsOrigins);
  guard(app, platform, { ...parts, busy, begunOf: direct.begunOf });
  const collected = collectRoutes(app);
  await registerOpenApi(app);
  for (const route of [...routes, guarded(openApiRoute(app))]) addRoute(app, route);
  await app.after();
  refuseOtherMethods(app, collected());
  // Both belong to every request, and live in Fastify.
  if (!platform.tracing && config.corsOrigins.length === 0) askFirst(app.server, direct.answerOr);
  return app;
}

/** One logger for all: a line says itself which request it is about. Fastify would make a child for each request. */
function withoutChildren(log: FastifyBaseLogger): FastifyBaseLogger {
  const only = Object.create(log, { child: { value: () => only } }) as FastifyBaseLogger;
  return only;
}

/** An https.Server is, for all that is done with it here, an http.Server: only its options go another way. */
function transport(tls: SecureContextOptions | undefined): { readonly http: http.ServerOptions } {
  const options = {
    requireHostHeader: false,
    headersTimeout: 10_000,
    connectionsCheckingInterval: 5_000,
    maxHeaderSize: 16 * 1024,
  };
  if (tls === undefined) return { http: options };
  return { https: { ...options, ...tls } } as unknown as { http: http.ServerOptions };
}

function acceptJsonOnly(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("application/json", { parseAs: "buffer" }, (request, body, done) => {
    const charset = /;\s*charset\s*=\s*"?([^";\s]+)/i.exec(request.headers["content-type"] ?? "")?.[1] ?? "utf-8";
    const encoding = request.headers["content-encoding"] ?? "identity";
    if (charset.toLowerCase() !== "utf-8" || encoding !== "identity") {
      done(new Problem("unsupported-media-type"));
      return;
    }
    try {
      done(null, parseJsonBody(body as Buffer));
    } catch (error) {
      done(error as Error);
    }
  });
}

/** Exact origins only, never a reflection, no credentials (OWASP ASVS 5.0 3.4.2). */
async function allowOrigins(app: FastifyInstance, origins: readonly string[]): Promise<void> {
  await app.register(cors, {
    origin: [...origins],
    methods: ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"],
    allowedHeaders: ["authorization", "content-type", "idempotency-key"],
    exposedHeaders: [
      "location",
      "link",
      "retry-after",
      "ratelimit",
      "ratelimit-policy",
      "www-authenticate",
      "x-request-id",
    ],
    maxAge: 600,
  });
}

const reading: ReadonlySet<string> = new Set(["GET", "HEAD"]);
/** What writes costs most. In a flood hundreds come at once, and who only reads is not to wait for all of them. */
const writesPerTurn = 32;

type GuardParts = Pick<ServerParts, "onAnswered" | "isStopping"> & {
  /** The sockets of the requests under way. */
  readonly busy: WeakSet<Socket>;
  readonly begunOf: DirectAnswers["begunOf"];
};

/** Takes every request through the gates, and every refusal to its answer. */
function guard(app: FastifyInstance, platform: Platform, { busy, begunOf, onAnswered, isStopping }: GuardParts): void {
  const pace = createPace(writesPerTurn);
  app.addHook("onRequest", ({ raw, method, passage }, _reply, done) => {
    busy.add(raw.socket);
    // Also, a body is looked at when the parser is done with what came: what is wrong with the message comes first.
    if (!reading.has(method)) return pace().then(() => passGates(gatesBeforeBody, passage));
    const passed = begunOf(raw)?.passed() ?? passGates(gatesBeforeBody, passage);
    if (passed instanceof Promise) return passed;
    done();
    return undefined;
  });
  app.addHook("preValidation", ({ passage }, _reply, done) => {
    const passed = passGates(gatesBeforeHandler, passage);
    if (passed instanceof Promise) return passed;
    done();
    return undefined;
  });
  const isTimed = isTrailShown(platform.config);
  app.addHook("onSend", ({ passage }, reply, _payload, done) => {
    if (isTimed) reply.header("server-timing", passage.trail.serverTiming());
    // A request under way when the stop began is the last one of its connection (RFC 9112 §9.6).
    if (isStopping()) reply.header("connection", "close");
    done();
  });
  // Whoever leaves early may still be answered, into the void.
  const left = new WeakSet<FastifyRequest>();
  app.addHook("onRequestAbort", async (request) => {
    left.add(request);
    noteLeaving(platform, request.passage);
  });
  app.addHook("onResponse", (request, reply, done) => {
    busy.delete(request.raw.socket);
    if (!left.has(request)) {
      logRequest(platform, request.passage, reply.statusCode);
      countAnswer(platform, request.passage, reply.statusCode);
    }
    onAnswered?.(request, reply.statusCode);
    done();
  });
  app.setErrorHandler(async (error, request, reply) => refuse(platform, error, request, reply));
  app.setNotFoundHandler(async () => {
    throw new Error("The route gate let an unknown path through.");
  });
}

/** This one is asked before all others, and they only if it does not answer. */
function askFirst(server: http.Server, answerOr: DirectAnswers["answerOr"]): void {
  const others = server.listeners("request") as http.RequestListener[];
  const askOthers: http.RequestListener = (raw, response) => {
    for (const answer of others) answer(raw, response);
  };
  server.removeAllListeners("request");
  server.on("request", (raw, response) => answerOr(raw, response, askOthers));
}

/** Stops the start when a route came in past `addRoute`, unguarded. */
function collectRoutes(app: FastifyInstance): () => ReadonlyMap<string, ReadonlySet<string>> {
  const collected: RouteOptions[] = [];
  app.addHook("onRoute", (route) => void collected.push(route));
  return () => {
    const methodsByUrl = new Map<string, Set<string>>();
    for (const { url, method, config } of collected) {
      if (config?.guarded === undefined) throw new Error(`${String(method)} ${url} declares no access and no limit.`);
      const methods = methodsByUrl.get(url) ?? new Set();
      for (const one of [method].flat()) methods.add(one);
      methodsByUrl.set(url, methods);
    }
    return methodsByUrl;
  };
}

/** A known path with a method that it does not have is 405 with `Allow` (RFC 9110 §15.5.6), not another route's. */
function refuseOtherMethods(app: FastifyInstance, methodsByUrl: ReadonlyMap<string, ReadonlySet<string>>): void {
  for (const [url, methods] of methodsByUrl) {
    const others = app.supportedMethods.filter((method) => !methods.has(method));
    const config = { allowedMethods: [...methods].toSorted().join(", ") };
    if (!url.includes("*")) app.route({ method: others, url, config, exposeHeadRoute: false, handler: unreachable });
  }
}

async function unreachable(): Promise<never> {
  throw new Error("The route gate let another method through.");
}

/** Stops the start when a route does not say who may use it, or how often. */
function guarded(definition: AnyRoute): GuardedRoute {
  const name = `${definition.method} ${definition.url}`;
  if (definition.access === undefined) throw new Error(`${name} declares no access.`);
  if (definition.limit === undefined) throw new Error(`${name} declares no limit.`);
  const { params, query, body } = definition;
  return {
    definition,
    check: {
      path: params ? createChecker(params, "path") : noFaults,
      query: query ? createChecker(query, "query") : noFaults,
      body: body ? createChecker(body, "body") : noFaults,
    },
  };
}

function addRoute(app: FastifyInstance, route: GuardedRoute): void {
  const { definition } = route;
  const { success } = definition;
  app.route({
    method: definition.method,
    url: definition.url,
    config: { guarded: route },
    ...(success.schema ? { schema: { response: { [success.status]: success.schema } } } : {}),
    handler: (request, reply) => {
      reply.code(success.status);
      return whenThere(handle(request.passage, definition, reply), (answer) => answer ?? reply.send());
    },
  });
}

const noFaults: Checker = () => [];
