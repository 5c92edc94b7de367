import type { LimitName } from "../../contract/limits.ts";
import { Problem } from "../../contract/problems.ts";
import { type Awaitable, whenThere } from "../awaitable.ts";
import type { Platform } from "../platform.ts";
import { rateLimitHeaders } from "./rate-limit-headers.ts";
import type { Limit, RateLimitDecision } from "./rate-limiter.ts";

export type TakenLimit = { readonly limit: Limit; readonly decision: RateLimitDecision };

/**
 * Counts one request under a limit. `undefined` when it was not counted: the limit is switched off, or it is an open
 * one and Redis, which counts it, is away. A promise only where others count.
 *
 * @throws Problem `too-many-requests` with a true `Retry-After` (RFC 6585 §4).
 */
export function takeLimit(
  platform: Pick<Platform, "config" | "rateLimiter">,
  name: LimitName,
  key: string,
): Awaitable<TakenLimit | undefined> {
  const quota = platform.config.limits[name];
  if (quota === undefined) return undefined;
  const limit = { name, ...quota };
  return whenThere(platform.rateLimiter.take(limit, key), (decision) => takenOrRefused({ limit, decision }));
}

function takenOrRefused(taken: TakenLimit): TakenLimit | undefined {
  const { limit, decision } = taken;
  if (decision.uncounted) return undefined;
  if (decision.accepted) return taken;
  const { name, quota, windowSeconds } = limit;
  throw new Problem("too-many-requests", {
    detail: `The limit "${name}" allows ${quota} in ${windowSeconds} seconds. Wait ${decision.retryAfterSeconds} seconds, then ask again.`,
    members: {
      limit: name,
      "violated-policies": [name],
      retry_after_seconds: decision.retryAfterSeconds,
    },
    headers: rateLimitHeaders(taken),
  });
}
