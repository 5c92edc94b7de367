import type { Clock } from "../clock.ts";
import { createLeastRecentlyUsed, type LeastRecentlyUsed, type Place } from "./least-recently-used.ts";
import { agesMax, type KeyUse, type Limit, type RateLimitDecision, type RateLimiter } from "./rate-limiter.ts";
import {
  addTime,
  createRequestWindow,
  firstWithin,
  forgetOld,
  removeTime,
  type RequestWindow,
  timeAt,
} from "./request-window.ts";

/** How many idle keys each request sweeps away: more than it can add, so that what is idle goes by itself. */
const sweptPerTake = 2;

/** How many keys are looked at for the busiest ones: a few milliseconds' work. */
const keysLookedAt = 10_000;

type KeyedWindow = RequestWindow & Place;

/** What another process can hold on to, where a closure cannot go. */
export type MemoryRateLimiter = Omit<RateLimiter, "take"> & {
  readonly take: (limit: Limit, key: string) => MemoryDecision;
  /** As the `giveBack` of the decision that was counted then; the caller sees to it that it is called once. */
  readonly giveBackOf: (limitName: string, key: string, countedAt: number) => void;
};

export type MemoryDecision = RateLimitDecision & {
  /** The moment that was counted, in this process's monotonic milliseconds; undefined when refused. */
  readonly countedAt: number | undefined;
};

/**
 * Exact sliding windows in the memory of one process.
 *
 * Each limit has its own map, so that keys anybody can make up (client_id) never push out keys that guard a secret.
 * A map holds at most `keysMax` keys, the least recently used first; when it is full, that one goes. To push out a
 * key on purpose takes `keysMax` other keys within the window, which the limits by address do not allow.
 */
export function createMemoryRateLimiter(
  clock: Pick<Clock, "monotonicNow">,
  { keysMax }: { readonly keysMax: number },
): MemoryRateLimiter {
  const windowsByLimit = new Map<string, LeastRecentlyUsed<KeyedWindow>>();
  return {
    take: (limit, key) => {
      let windows = windowsByLimit.get(limit.name);
      if (windows === undefined) {
        windows = createLeastRecentlyUsed(makeKeyedWindow, { max: keysMax });
        windowsByLimit.set(limit.name, windows);
      }
      const now = clock.monotonicNow();
      const decision = decide(limit, windows.use(key), now);
      sweep(windows, now, limit.windowSeconds * 1000);
      return decision;
    },
    giveBackOf: (limitName, key, countedAt) => {
      const window = windowsByLimit.get(limitName)?.peek(key);
      if (window !== undefined) removeTime(window, countedAt);
    },
    keysHeld: (limitName) =>
      limitName === undefined
        ? [...windowsByLimit.values()].reduce((sum, { size }) => sum + size(), 0)
        : (windowsByLimit.get(limitName)?.size() ?? 0),
    inspect: async (limit, key) => {
      const now = clock.monotonicNow();
      const window = windowsByLimit.get(limit.name)?.peek(key) ?? createRequestWindow();
      const use = keyUse(limit, key, window, now);
      const ages = Array.from({ length: Math.min(use.used, agesMax) }, (_, newer) => window.count - 1 - newer);
      return { ...use, agesMilliseconds: ages.map((index) => now - timeAt(window, index)) };
    },
    busiest: async (limit, count) => {
      const now = clock.monotonicNow();
      const uses: KeyUse[] = [];
      let looked = 0;
      for (const window of windowsByLimit.get(limit.name)?.entries() ?? []) {
        if (looked === keysLookedAt) break;
        looked += 1;
        const use = keyUse(limit, window.key, window, now);
        if (use.used > 0) uses.push(use);
      }
      return uses.sort((one, other) => other.used - one.used).slice(0, count);
    },
  };
}

function makeKeyedWindow({ key, newer, older }: Place): KeyedWindow {
  const { ring, head, count } = createRequestWindow();
  return { ring, head, count, key, newer, older };
}

function decide({ quota, windowSeconds }: Limit, window: RequestWindow, now: number): MemoryDecision {
  forgetOld(window, now, windowSeconds * 1000);
  const accepted = window.count < quota;
  if (accepted) addTime(window, now);
  // The age first: it is exact. oldest + window is rounded, and a hair above 60 seconds would be told as 61.
  const resetSeconds = window.count === 0 ? 0 : Math.ceil((windowSeconds * 1000 - (now - timeAt(window, 0))) / 1000);
  return {
    accepted,
    remaining: Math.max(0, quota - window.count),
    resetSeconds,
    // A place is free when the oldest one leaves: so long is enough, a second less is not.
    retryAfterSeconds: accepted ? 0 : resetSeconds,
    countedAt: accepted ? now : undefined,
    giveBack: giveBackOnce(window, accepted ? now : undefined),
  };
}

function keyUse({ quota, windowSeconds }: Limit, key: string, window: RequestWindow, now: number): KeyUse {
  const used = window.count - firstWithin(window, now, windowSeconds * 1000);
  const remaining = Math.max(0, quota - used);
  // Should the quota have been lowered, more than one must leave before a place is free.
  const leavingAt = remaining > 0 ? undefined : timeAt(window, window.count - quota);
  const waitMilliseconds = leavingAt === undefined ? 0 : windowSeconds * 1000 - (now - leavingAt);
  return { key, used, remaining, retryAfterSeconds: Math.ceil(waitMilliseconds / 1000) };
}

function giveBackOnce(window: RequestWindow, time: number | undefined): () => Promise<void> {
  let isCounted = time !== undefined;
  return async () => {
    if (!isCounted || time === undefined) return;
    isCounted = false;
    removeTime(window, time);
  };
}

/** Drops the least recently used keys that are idle, a few at a time. */
function sweep(windows: LeastRecentlyUsed<KeyedWindow>, now: number, windowMilliseconds: number): void {
  for (let swept = 0; swept < sweptPerTake; swept += 1) {
    const window = windows.longestUnused();
    const isIdle =
      window !== undefined && (window.count === 0 || now - timeAt(window, window.count - 1) >= windowMilliseconds);
    if (!isIdle) return;
    windows.dropLongestUnused();
  }
}
