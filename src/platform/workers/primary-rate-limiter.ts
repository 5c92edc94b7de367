import type { RemoteRateLimiter } from "../rate-limit/rate-limiter.ts";
import type { PrimaryLink } from "./primary-link.ts";

/**
 * Exact sliding windows for all workers of one machine: the primary process counts in its memory, one message there and
 * one back for each decision. It does one thing at a time, so checking and counting are one step for all of them.
 */
export function createPrimaryRateLimiter(link: Pick<PrimaryLink, "ask">): RemoteRateLimiter {
  const keysHeld = new Map<string, number>();
  let keysHeldOfAll = 0;
  return {
    take: async (limit, key) => {
      const { countedAt, ...answer } = await link.ask("take", { limit, key });
      keysHeld.set(limit.name, answer.keysHeld);
      keysHeldOfAll = answer.keysHeldOfAll;
      let isCounted = countedAt !== undefined;
      return {
        accepted: answer.accepted,
        remaining: answer.remaining,
        resetSeconds: answer.resetSeconds,
        retryAfterSeconds: answer.retryAfterSeconds,
        giveBack: async () => {
          if (!isCounted || countedAt === undefined) return;
          isCounted = false;
          await link.ask("give-back", { limitName: limit.name, key, countedAt });
        },
      };
    },
    // As the last answer said: a figure for people, and nobody waits for it.
    keysHeld: (limitName) => (limitName === undefined ? keysHeldOfAll : (keysHeld.get(limitName) ?? 0)),
    inspect: (limit, key) => link.ask("inspect", { limit, key }),
    busiest: (limit, count) => link.ask("busiest", { limit, count }),
  };
}
