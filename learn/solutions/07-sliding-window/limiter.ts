export type Limiter = {
  /** Whether a request of this key is accepted now; if it is, it is counted. */
  readonly take: (key: string) => boolean;
  /** How many keys are held. */
  readonly size: () => number;
};

/** At most `quota` accepted requests of one key within `windowSeconds`. `now` tells the time in milliseconds. */
export function createLimiter(quota: number, windowSeconds: number, now: () => number): Limiter {
  /** Key → when its requests in the window were accepted, oldest first. */
  const accepted = new Map<string, number[]>();

  function forgetOld(at: number): void {
    for (const [key, times] of accepted) {
      const inside = times.filter((time) => at - time < windowSeconds * 1000);
      if (inside.length === 0) accepted.delete(key);
      else accepted.set(key, inside);
    }
  }

  return {
    take: (key) => {
      const at = now();
      // Plain, and slow with many keys: Tollgate looks at the key that asks and at two idle ones.
      forgetOld(at);
      const times = accepted.get(key) ?? [];
      if (times.length >= quota) return false;
      accepted.set(key, [...times, at]);
      return true;
    },
    size: () => accepted.size,
  };
}
