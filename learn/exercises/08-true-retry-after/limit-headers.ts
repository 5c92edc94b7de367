export type Limit = { readonly name: string; readonly quota: number; readonly windowSeconds: number };

/** The headers that tell a client where it stands. Times are milliseconds; `accepted` is sorted, oldest first. */
export function limitHeaders(limit: Limit, accepted: readonly number[], now: number): Record<string, string> {
  const remaining = limit.quota - accepted.length;
  const seconds = Math.floor((now - (accepted[0] ?? now)) / 1000);
  return {
    "RateLimit-Policy": `"${limit.name}";q=${limit.quota};w=${limit.windowSeconds}`,
    RateLimit: `"${limit.name}";r=${remaining};t=${seconds}`,
    "Retry-After": String(limit.windowSeconds),
  };
}
