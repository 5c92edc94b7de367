import type { Quota } from "../../contract/limits.ts";
import type { Awaitable } from "../awaitable.ts";

/** A limit as it is in force: its name and its quota. */
export type Limit = Quota & { readonly name: string };

export type RateLimitDecision = {
  readonly accepted: boolean;
  /** Only there when nobody could count: the figures then say nothing. */
  readonly uncounted?: true;
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
  /** A promise only where others are asked. */
  readonly take: (limit: Limit, key: string) => Awaitable<RateLimitDecision>;
  /** How many keys are held now, of one limit or over all. Bounded. */
  readonly keysHeld: (limitName?: string) => number;
  /** How a key stands now. Nothing is counted, and the key is no more in use than before. */
  readonly inspect: (limit: Limit, key: string) => Promise<KeyWindow>;
  /**
   * At most `count` keys with the fewest places left, the fullest first; none that is idle. Of very many keys it may
   * look only at those that were used last: who is near a limit was there a moment ago.
   */
  readonly busiest: (limit: Limit, count: number) => Promise<readonly KeyUse[]>;
};

/** One that asks others for each decision: another process, or Redis. */
export type RemoteRateLimiter = Omit<RateLimiter, "take"> & {
  readonly take: (limit: Limit, key: string) => Promise<RateLimitDecision>;
};

/** What one key has used of its limit. */
export type KeyUse = {
  readonly key: string;
  /** Accepted requests in the window. */
  readonly used: number;
  /** Never negative. */
  readonly remaining: number;
  /** Seconds, rounded up, until a place is free; 0 when one is. */
  readonly retryAfterSeconds: number;
};

/** The window of one key, drawn. A key that was never seen is one that has used nothing. */
export type KeyWindow = KeyUse & {
  /** How long ago each accepted request was, the newest first; at most {@link agesMax} of them. */
  readonly agesMilliseconds: readonly number[];
};

export const agesMax = 1000;
