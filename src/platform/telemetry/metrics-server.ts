import type { IncomingMessage, ServerResponse } from "node:http";
import { Registry } from "prom-client";
import type { Platform } from "../platform.ts";
import { isMetricsToken } from "./metrics-token.ts";

export const metricsContentType = Registry.PROMETHEUS_CONTENT_TYPE;

export type MetricsServer = { readonly close: () => Promise<void> };

const connectionsMax = 16;
const requestMilliseconds = 10_000;

/**
 * Serves /metrics, and nothing else, on a port of its own; undefined without METRICS_PORT. `read` gives the text: of this
 * process, or of all those that it leads.
 *
 * Rejects with the error of the socket when it cannot listen.
 */
export async function openMetricsServer(
  platform: Pick<Platform, "config" | "secrets" | "log">,
  read: () => Promise<string>,
): Promise<MetricsServer | undefined> {
  const { host, metrics } = platform.config;
  if (metrics.port === undefined) return undefined;
  const { createServer } = process.getBuiltinModule("node:http");
  const server = createServer(
    { requestTimeout: requestMilliseconds, headersTimeout: requestMilliseconds, maxHeaderSize: 8 * 1024 },
    (request, response) => {
      answer(platform, read, request, response).catch((error: unknown) => {
        platform.log.error({ err: error }, "the metrics could not be read");
        if (!response.headersSent) send(response, 500, "The metrics could not be read: see the log.\n");
      });
    },
  );
  server.maxConnections = connectionsMax;
  const { promise: listening, resolve, reject } = Promise.withResolvers<void>();
  server.once("error", reject);
  server.listen(metrics.port, host, resolve);
  await listening;
  server.off("error", reject).on("error", (error) => platform.log.warn({ err: error }, "the metrics' port failed"));
  platform.log.info({ port: metrics.port }, "metrics are at /metrics on a port of their own");
  return {
    close: async () => {
      const { promise: closed, resolve: done } = Promise.withResolvers<void>();
      server.close(() => done());
      server.closeAllConnections();
      await closed;
    },
  };
}

async function answer(
  platform: Pick<Platform, "config" | "secrets">,
  read: () => Promise<string>,
  { method, url = "", headers }: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (url.split("?", 1)[0] !== "/metrics") return send(response, 404, "Only /metrics is here.\n");
  if (method !== "GET" && method !== "HEAD") {
    return send(response, 405, "Only GET is allowed here.\n", { allow: "GET, HEAD" });
  }
  const { token } = platform.config.metrics;
  const given = /^bearer +(\S+)$/i.exec(headers.authorization ?? "")?.[1];
  if (token !== undefined && !(given !== undefined && isMetricsToken(platform, given))) {
    return send(response, 401, "Send METRICS_TOKEN as Authorization: Bearer <token>.\n", {
      "www-authenticate": "Bearer",
    });
  }
  return send(response, 200, await read(), { "content-type": metricsContentType });
}

function send(
  response: ServerResponse,
  status: number,
  text: string,
  headers: Readonly<Record<string, string>> = {},
): void {
  response.writeHead(status, {
    "content-type": "text/plain; charset=utf-8",
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    ...headers,
  });
  response.end(text);
}
