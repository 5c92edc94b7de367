import type { Quota } from "../../contract/limits.ts";

/** A limit as it is in force: its name and its quota. */
export type Limit = Quota & { readonly name: string };

export type RateLimitDecision = {
  readonly accepted: boolean;
  /** Requests that would still be accepted now. Never negative. */
  readonly remaining: number;
  /** Seconds until the oldest counted request leaves the window, rounded up; 0 when none is counted. */
  readonly resetSeconds: number;
  /** Seconds, rounded up, after which one request will be accepted: waiting so long is enough, a second less is not. 0 when accepted. */
  readonly retryAfterSeconds: number;
  /** Gives the place back, as if this request had never been counted. Does nothing when refused or called twice. */
  readonly giveBack: () => Promise<void>;
};

/**
 * Counts accepted requests in exact sliding windows: at no moment have there been more than `quota` accepted
 * requests in the last `windowSeconds`. A refused request does not count. Checking and counting are one step.
 */
export type RateLimiter = {
  readonly take: (limit: Limit, key: string) => Promise<RateLimitDecision>;
  /** How many keys are held now, over all limits. Bounded. */
  readonly keysHeld: () => number;
};
