/**
 * The accepted requests of one key, as monotonic milliseconds, the oldest first. They are in a ring, so that nothing is
 * moved or made anew while requests come and go; it grows with what it holds, which is never more than the quota.
 */
export type RequestWindow = {
  /** As long as a power of two: a place is found by a mask. */
  ring: number[];
  head: number;
  count: number;
};

export function createRequestWindow(): RequestWindow {
  return { ring: [0, 0], head: 0, count: 0 };
}

/** 0 is the oldest one, `count - 1` the newest. */
export function timeAt({ ring, head }: RequestWindow, index: number): number {
  return ring[(head + index) & (ring.length - 1)] ?? Number.NaN;
}

export function addTime(window: RequestWindow, time: number): void {
  const { ring, head, count } = window;
  if (count === ring.length) {
    window.ring = [...ring.slice(head), ...ring.slice(0, head), ...ring];
    window.head = 0;
  }
  window.ring[(window.head + count) & (window.ring.length - 1)] = time;
  window.count += 1;
}

/** Takes one request of that moment away; those of one moment are alike. */
export function removeTime(window: RequestWindow, time: number): void {
  let index = 0;
  while (index < window.count && timeAt(window, index) !== time) index += 1;
  if (index === window.count) return;
  const mask = window.ring.length - 1;
  for (; index < window.count - 1; index += 1) {
    window.ring[(window.head + index) & mask] = timeAt(window, index + 1);
  }
  window.count -= 1;
}

/** Forgets what has left the window. */
export function forgetOld(window: RequestWindow, now: number, windowMilliseconds: number): void {
  while (window.count > 0 && now - timeAt(window, 0) >= windowMilliseconds) {
    window.head = (window.head + 1) & (window.ring.length - 1);
    window.count -= 1;
  }
}

/** The index of the oldest one that is still in the window, found without changing anything. */
export function firstWithin(window: RequestWindow, now: number, windowMilliseconds: number): number {
  let [from, to] = [0, window.count];
  while (from < to) {
    const middle = (from + to) >>> 1;
    if (now - timeAt(window, middle) >= windowMilliseconds) from = middle + 1;
    else to = middle;
  }
  return from;
}
