export type Limit = { readonly name: string; readonly quota: number; readonly windowSeconds: number };

/** The headers that tell a client where it stands. Times are milliseconds; `accepted` is sorted, oldest first. */
export function limitHeaders(limit: Limit, accepted: readonly number[], now: number): Record<string, string> {
  const { name, quota, windowSeconds } = limit;
  // Rounded up: a second too early is a refusal, and a part of a second is not worth a figure.
  const secondsUntilGone = (time: number): number => Math.ceil((windowSeconds * 1000 - (now - time)) / 1000);
  const oldest = accepted[0];
  const headers = {
    "RateLimit-Policy": `"${name}";q=${quota};w=${windowSeconds}`,
    RateLimit: `"${name}";r=${Math.max(0, quota - accepted.length)};t=${oldest === undefined ? 0 : secondsUntilGone(oldest)}`,
  };
  // So many must leave that one place is free: usually only the oldest one.
  const lastToLeave = accepted[accepted.length - quota];
  return lastToLeave === undefined ? headers : { ...headers, "Retry-After": String(secondsUntilGone(lastToLeave)) };
}
