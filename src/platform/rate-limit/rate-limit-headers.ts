import type { Limit, RateLimitDecision } from "./rate-limiter.ts";

/**
 * The headers of draft-ietf-httpapi-ratelimit-headers-10: `RateLimit-Policy: "limited";q=5;w=60` and
 * `RateLimit: "limited";r=3;t=42`, lists of structured fields (RFC 9651); `Retry-After` when one refused.
 */
export function rateLimitHeaders(
  entries: readonly { readonly limit: Limit; readonly decision: RateLimitDecision }[],
): Record<string, string> {
  if (entries.length === 0) return {}; // An empty list is no header at all (RFC 9651 §3.1).
  const policies = entries.map(({ limit }) => `"${limit.name}";q=${limit.quota};w=${limit.windowSeconds}`);
  const states = entries.map(
    ({ limit, decision }) => `"${limit.name}";r=${decision.remaining};t=${decision.resetSeconds}`,
  );
  const waits = entries.map(({ decision }) => decision.retryAfterSeconds);
  const waitSeconds = Math.max(0, ...waits);
  return {
    "ratelimit-policy": policies.join(", "),
    ratelimit: states.join(", "),
    ...(waitSeconds > 0 ? { "retry-after": String(waitSeconds) } : {}),
  };
}
