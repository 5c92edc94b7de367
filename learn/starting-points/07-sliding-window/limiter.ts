export type Limiter = {
  /** Whether a request of this key is accepted now; if it is, it is counted. */
  readonly take: (key: string) => boolean;
  /** How many keys are held. */
  readonly size: () => number;
};

/** At most `quota` accepted requests of one key within `windowSeconds`. `now` tells the time in milliseconds. */
export function createLimiter(quota: number, windowSeconds: number, now: () => number): Limiter {
  const counts = new Map<string, { window: number; count: number }>();
  return {
    take: (key) => {
      const window = Math.floor(now() / (windowSeconds * 1000));
      const entry = counts.get(key);
      const count = entry?.window === window ? entry.count + 1 : 1;
      counts.set(key, { window, count });
      return count <= quota;
    },
    size: () => counts.size,
  };
}
