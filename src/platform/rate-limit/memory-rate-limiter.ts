import { LRUCache } from "lru-cache";
import type { Clock } from "../clock.ts";
import { agesMax, type KeyUse, type Limit, type RateLimitDecision, type RateLimiter } from "./rate-limiter.ts";

/** How many idle keys each request sweeps away: more than it can add, so that what is idle goes by itself. */
const sweptPerTake = 2;

/** How many keys are looked at for the busiest ones: a few milliseconds' work. */
const keysLookedAt = 10_000;

/** The accepted requests of one key, oldest first. Times are monotonic milliseconds. */
type Window = {
  times: number[];
  /** Entries before it have left the window; they are cut off now and then, not at each request. */
  head: number;
};

/** What another process can hold on to, where a closure cannot go. */
export type MemoryRateLimiter = Omit<RateLimiter, "take"> & {
  readonly take: (limit: Limit, key: string) => Promise<MemoryDecision>;
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
  const windowsByLimit = new Map<string, LRUCache<string, Window>>();
  return {
    take: async (limit, key) => {
      const windows = windowsByLimit.get(limit.name) ?? new LRUCache<string, Window>({ max: keysMax });
      windowsByLimit.set(limit.name, windows);
      const now = clock.monotonicNow();
      const isOver = (time: number): boolean => now - time >= limit.windowSeconds * 1000;
      const window = windows.get(key) ?? { times: [], head: 0 };
      forgetOld(window, isOver);
      sweep(windows, isOver);
      windows.set(key, window);
      return decide(limit, window, now);
    },
    giveBackOf: (limitName, key, countedAt) => {
      const window = windowsByLimit.get(limitName)?.peek(key);
      if (window !== undefined) giveBack(window, countedAt);
    },
    keysHeld: (limitName) =>
      limitName === undefined
        ? [...windowsByLimit.values()].reduce((sum, { size }) => sum + size, 0)
        : (windowsByLimit.get(limitName)?.size ?? 0),
    inspect: async (limit, key) => {
      const now = clock.monotonicNow();
      const times = windowsByLimit.get(limit.name)?.peek(key)?.times ?? [];
      const use = keyUse(limit, key, times, now);
      const newest = times.slice(times.length - Math.min(use.used, agesMax)).toReversed();
      return { ...use, agesMilliseconds: newest.map((time) => now - time) };
    },
    busiest: async (limit, count) => {
      const now = clock.monotonicNow();
      const uses: KeyUse[] = [];
      let looked = 0;
      for (const [key, window] of windowsByLimit.get(limit.name)?.entries() ?? []) {
        if (looked === keysLookedAt) break;
        looked += 1;
        const use = keyUse(limit, key, window.times, now);
        if (use.used > 0) uses.push(use);
      }
      return uses.sort((one, other) => other.used - one.used).slice(0, count);
    },
  };
}

function decide(limit: Limit, window: Window, now: number): MemoryDecision {
  const accepted = window.times.length - window.head < limit.quota;
  if (accepted) window.times.push(now);
  const count = window.times.length - window.head;
  const oldest = window.times[window.head] ?? now;
  // The age first: it is exact. oldest + window is rounded, and a hair above 60 seconds would be told as 61.
  const resetSeconds = count === 0 ? 0 : Math.ceil((limit.windowSeconds * 1000 - (now - oldest)) / 1000);
  return {
    accepted,
    remaining: Math.max(0, limit.quota - count),
    resetSeconds,
    // A place is free when the oldest one leaves: so long is enough, a second less is not.
    retryAfterSeconds: accepted ? 0 : resetSeconds,
    countedAt: accepted ? now : undefined,
    giveBack: giveBackOnce(window, accepted ? now : undefined),
  };
}

function keyUse(limit: Limit, key: string, times: readonly number[], now: number): KeyUse {
  const used = times.length - firstWithin(limit, times, now);
  const remaining = Math.max(0, limit.quota - used);
  // Should the quota have been lowered, more than one must leave before a place is free.
  const leaving = remaining > 0 ? undefined : times[times.length - limit.quota];
  const waitMilliseconds = leaving === undefined ? 0 : limit.windowSeconds * 1000 - (now - leaving);
  return { key, used, remaining, retryAfterSeconds: Math.ceil(waitMilliseconds / 1000) };
}

/** The index of the oldest time that is still in the window; the times are in order. */
function firstWithin({ windowSeconds }: Limit, times: readonly number[], now: number): number {
  let [from, to] = [0, times.length];
  while (from < to) {
    const middle = (from + to) >>> 1;
    if (now - (times[middle] ?? 0) >= windowSeconds * 1000) from = middle + 1;
    else to = middle;
  }
  return from;
}

function giveBackOnce(window: Window, time: number | undefined): () => Promise<void> {
  let isCounted = time !== undefined;
  return async () => {
    if (!isCounted || time === undefined) return;
    isCounted = false;
    giveBack(window, time);
  };
}

function giveBack(window: Window, time: number): void {
  const index = window.times.indexOf(time, window.head);
  if (index !== -1) window.times.splice(index, 1); // Entries of the same moment are alike.
}

function forgetOld(window: Window, isOver: (time: number) => boolean): void {
  const { times } = window;
  while (window.head < times.length && isOver(times[window.head] ?? 0)) window.head += 1;
  if (window.head === times.length) Object.assign(window, { times: [], head: 0 });
  else if (window.head > times.length / 2) Object.assign(window, { times: times.slice(window.head), head: 0 });
}

/** Drops the least recently used keys that are idle, a few at a time. */
function sweep(windows: LRUCache<string, Window>, isOver: (time: number) => boolean): void {
  let looked = 0;
  for (const key of windows.rkeys()) {
    const isIdle = isOver(windows.peek(key)?.times.at(-1) ?? Number.NEGATIVE_INFINITY);
    if (!isIdle || looked === sweptPerTake) return;
    windows.delete(key);
    looked += 1;
  }
}
