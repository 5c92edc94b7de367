/** A request to the limited route, by this page's own clock in milliseconds. */
export type Shot = { readonly at: number; readonly accepted: boolean };

/**
 * What a fixed window would have said to the same requests: a count that begins anew at each border.
 * The first border is put where the first burst lies just before it, as an attacker would.
 */
export function underFixedWindow(
  shots: readonly Pick<Shot, "at">[],
  limit: { readonly quota: number; readonly windowMilliseconds: number; readonly firstBorder: number },
): readonly Shot[] {
  const counts = new Map<number, number>();
  return shots.map(({ at }) => {
    const window = Math.floor((at - limit.firstBorder) / limit.windowMilliseconds);
    const count = counts.get(window) ?? 0;
    const accepted = count < limit.quota;
    if (accepted) counts.set(window, count + 1);
    return { at, accepted };
  });
}

/** The most accepted requests that any span of the window's length holds. */
export function mostInAnyWindow(shots: readonly Shot[], windowMilliseconds: number): number {
  const times = shots.filter(({ accepted }) => accepted).map(({ at }) => at);
  const counts = times.map((from) => times.filter((at) => at >= from && at < from + windowMilliseconds).length);
  return Math.max(0, ...counts);
}
