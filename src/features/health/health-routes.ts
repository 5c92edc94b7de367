import { Type } from "typebox";
import { Problem } from "../../contract/problems.ts";
import type { TlsFiles } from "../../platform/http/tls-files.ts";
import { route, type AnyRoute } from "../../platform/http/route.ts";
import type { Platform } from "../../platform/platform.ts";
import { failingParts, type Lifecycle, warnings } from "./health.ts";

export function healthRoutes(platform: Platform, lifecycle: Lifecycle, tls?: TlsFiles): readonly AnyRoute[] {
  return [
    route({
      method: "GET",
      url: "/health/live",
      tag: "Health",
      summary: "Is the process alive?",
      access: "public",
      // A probe that is slowed down restarts a healthy server.
      limit: "unlimited",
      success: {
        status: 200,
        description: "It is.",
        schema: Type.Object({ status: Type.Literal("live") }, { title: "Live" }),
      },
      problems: [],
      handle: async () => ({ status: "live" }),
    }),
    route({
      method: "GET",
      url: "/health/ready",
      tag: "Health",
      summary: "May requests be sent here?",
      access: "public",
      limit: "unlimited",
      success: {
        status: 200,
        description: "Every part is there without which requests cannot be served; `warnings` tell what is missed.",
        schema: Type.Object(
          {
            status: Type.Literal("ready"),
            parts: Type.Object({
              database: Type.Literal("ok"),
              redis: Type.Optional(Type.Enum(["ok", "away"], { description: "Only there when REDIS_URL is set." })),
            }),
            warnings: Type.Array(Type.String()),
          },
          { title: "Ready" },
        ),
      },
      problems: ["not-ready"],
      handle: async () => {
        const failing = await failingParts(platform, lifecycle);
        if (failing.length > 0) {
          throw new Problem("not-ready", {
            detail: `Not ready: ${failing.join(", ")}. Send requests elsewhere, or ask again in a second.`,
            members: { failing },
            headers: { "retry-after": "1" },
          });
        }
        const { redis } = platform;
        const redisPart = redis && { redis: redis.fault() === undefined ? ("ok" as const) : ("away" as const) };
        return { status: "ready", parts: { database: "ok", ...redisPart }, warnings: await warnings(platform, tls) };
      },
    }),
  ];
}
