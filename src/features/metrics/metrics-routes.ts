import { route, type AnyRoute } from "../../platform/http/route.ts";
import type { Platform } from "../../platform/platform.ts";
import { metricsContentType } from "../../platform/telemetry/metrics-server.ts";

/** Where METRICS_TOKEN alone is set. With METRICS_PORT the page is there and not here; without either it is nowhere. */
export function metricsRoutes({ config }: Pick<Platform, "config">, read: () => Promise<string>): readonly AnyRoute[] {
  if (config.metrics.token === undefined || config.metrics.port !== undefined) return [];
  return [
    route({
      method: "GET",
      url: "/metrics",
      tag: "Operation",
      summary: "The figures of this server, for Prometheus",
      access: "metrics-token",
      limit: "api",
      hidden: true,
      success: { status: 200, description: "Figures in the text format of Prometheus." },
      problems: [],
      handle: async (_request, reply) => {
        reply.header("cache-control", "no-store").type(metricsContentType);
        return read();
      },
    }),
  ];
}
