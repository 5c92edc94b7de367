import { Type } from "typebox";
import { type LimitName, limitNames, limits, limitSettingName } from "../../contract/limits.ts";
import { Problem } from "../../contract/problems.ts";
import { route, type AnyRoute } from "../../platform/http/route.ts";
import type { Platform } from "../../platform/platform.ts";
import { agesMax, type KeyUse, type Limit } from "../../platform/rate-limit/rate-limiter.ts";

const tag = "Administration";
const access = "system:read";

const orNull = Type.Union([Type.Integer(), Type.Null()]);

const quotaMembers = {
  quota: Type.Union([Type.Integer(), Type.Null()], { description: "null: the limit is off." }),
  window_seconds: orNull,
};

const LimitBody = Type.Object(
  {
    name: Type.Enum([...limitNames]),
    meaning: Type.String(),
    keyed_by: Type.String(),
    setting: Type.String({ description: "The name of the setting that changes it." }),
    ...quotaMembers,
    default_quota: Type.Integer(),
    default_window_seconds: Type.Integer(),
    keys_held: orNull,
  },
  { title: "Limit" },
);

const keyUseMembers = {
  key: Type.String(),
  used: Type.Integer({ description: "Accepted requests in the window." }),
  remaining: orNull,
  retry_after_seconds: Type.Integer({ description: "Until a place is free; 0 when one is." }),
};

const LimitKeyListBody = Type.Object(
  {
    limit: Type.Enum([...limitNames]),
    ...quotaMembers,
    items: Type.Array(Type.Object(keyUseMembers, { title: "LimitKey" })),
  },
  { title: "LimitKeyList" },
);

const LimitWindowBody = Type.Object(
  {
    limit: Type.Enum([...limitNames]),
    ...quotaMembers,
    ...keyUseMembers,
    ages_ms: Type.Array(Type.Number(), {
      description: `How long ago each accepted request was, the newest first; at most ${agesMax}.`,
    }),
  },
  { title: "LimitWindow" },
);

const nameParam = Type.String({ maxLength: 64, description: "The name of the limit, as login-address." });

export function limitRoutes(platform: Pick<Platform, "config" | "rateLimiter">): readonly AnyRoute[] {
  return [listRoute(platform), busiestRoute(platform), windowRoute(platform)];
}

function listRoute(platform: Pick<Platform, "config" | "rateLimiter">): AnyRoute {
  return route({
    method: "GET",
    url: "/admin/limits",
    tag,
    summary: "Every limit, as it is in force",
    access,
    limit: "api",
    success: {
      status: 200,
      description: "The limits.",
      schema: Type.Object({ items: Type.Array(LimitBody) }, { title: "LimitList" }),
    },
    problems: [],
    handle: async () => ({
      items: limitNames.map((name) => ({
        name,
        meaning: limits[name].meaning,
        keyed_by: limits[name].per,
        setting: limitSettingName(name),
        ...quotaOf(platform, name),
        default_quota: limits[name].quota,
        default_window_seconds: limits[name].windowSeconds,
        keys_held: platform.rateLimiter.keysHeld(name),
      })),
    }),
  });
}

function busiestRoute(platform: Pick<Platform, "config" | "rateLimiter">): AnyRoute {
  return route({
    method: "GET",
    url: "/admin/limits/:name/keys",
    tag,
    summary: "The keys that are nearest to a limit",
    description: "The fullest first. With near=true only those that have used half of it or more.",
    access,
    limit: "api",
    params: Type.Object({ name: nameParam }),
    query: Type.Object({
      near: Type.Optional(Type.Boolean({ default: false })),
      limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 100, default: 20 })),
    }),
    success: { status: 200, description: "The keys.", schema: LimitKeyListBody },
    problems: ["limit-unknown"],
    handle: async ({ params, query: { near = false, limit: count = 20 } }) => {
      const name = knownLimit(params.name);
      const limit = limitInForce(platform, name);
      const uses = limit ? await platform.rateLimiter.busiest(limit, count) : [];
      const shown = near ? uses.filter(({ used, remaining }) => used >= remaining) : uses;
      return { limit: name, ...quotaOf(platform, name), items: shown.map(keyUseBody) };
    },
  });
}

function windowRoute(platform: Pick<Platform, "config" | "rateLimiter">): AnyRoute {
  return route({
    method: "GET",
    url: "/admin/limits/:name/keys/:key",
    tag,
    summary: "The window of one key, drawn",
    description: "A key that was never seen is one that has used nothing. Looking counts nothing.",
    access,
    limit: "api",
    params: Type.Object({ name: nameParam, key: Type.String({ minLength: 1, maxLength: 1100 }) }),
    success: { status: 200, description: "How the key stands.", schema: LimitWindowBody },
    problems: ["limit-unknown"],
    handle: async ({ params: { name: given, key } }) => {
      const name = knownLimit(given);
      const limit = limitInForce(platform, name);
      const about = { limit: name, ...quotaOf(platform, name) };
      if (limit === undefined) return { ...about, key, used: 0, remaining: null, retry_after_seconds: 0, ages_ms: [] };
      const { agesMilliseconds, ...use } = await platform.rateLimiter.inspect(limit, key);
      return { ...about, ...keyUseBody(use), ages_ms: agesMilliseconds };
    },
  });
}

/** @throws Problem `limit-unknown` */
function knownLimit(given: string): LimitName {
  const name = limitNames.find((known) => known === given);
  if (name === undefined) throw new Problem("limit-unknown");
  return name;
}

/** `undefined` when it is off. */
function limitInForce({ config }: Pick<Platform, "config">, name: LimitName): Limit | undefined {
  const quota = config.limits[name];
  return quota && { name, ...quota };
}

function quotaOf(
  { config }: Pick<Platform, "config">,
  name: LimitName,
): { quota: number | null; window_seconds: number | null } {
  const { quota = null, windowSeconds = null } = config.limits[name] ?? {};
  return { quota, window_seconds: windowSeconds };
}

function keyUseBody({ key, used, remaining, retryAfterSeconds }: KeyUse): {
  key: string;
  used: number;
  remaining: number;
  retry_after_seconds: number;
} {
  return { key, used, remaining, retry_after_seconds: retryAfterSeconds };
}
