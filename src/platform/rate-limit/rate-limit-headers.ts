import type { Limit, RateLimitDecision } from "./rate-limiter.ts";

/**
 * The headers of draft-ietf-httpapi-ratelimit-headers-10: `RateLimit-Policy: "limited";q=5;w=60` and
 * `RateLimit: "limited";r=3;t=42`, lists of structured fields (RFC 9651) of one member; `Retry-After` when it refused.
 */
export function rateLimitHeaders({
  limit: { name, quota, windowSeconds },
  decision: { remaining, resetSeconds, retryAfterSeconds },
}: {
  readonly limit: Limit;
  readonly decision: RateLimitDecision;
}): Record<string, string> {
  const headers: Record<string, string> = {
    "ratelimit-policy": `"${name}";q=${quota};w=${windowSeconds}`,
    ratelimit: `"${name}";r=${remaining};t=${resetSeconds}`,
  };
  if (retryAfterSeconds > 0) headers["retry-after"] = String(retryAfterSeconds);
  return headers;
}
