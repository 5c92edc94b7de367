import type { DecisionLog, NumberedDecision } from "../http/decisions.ts";
import type { PrimaryLink } from "./primary-link.ts";

/** The refusals of all workers of one machine, kept and numbered by the primary process. */
export function createPrimaryDecisionLog(link: PrimaryLink): DecisionLog {
  const listeners = new Set<(decision: NumberedDecision) => void>();
  let isWatching: Promise<unknown> = Promise.resolve();
  link.hear((tidings) => {
    if (tidings.about === "decision") for (const listener of listeners) listener(tidings.decision);
  });
  return {
    record: link.refused,
    find: async (requestId) => (await link.ask("find-decision", requestId)) ?? undefined,
    list: (filter, range) => link.ask("list-decisions", { filter, range }),
    // Only while somebody watches: each decision would else go to every worker.
    subscribe: async (listener) => {
      listeners.add(listener);
      if (listeners.size === 1) isWatching = link.ask("watch", true);
      await isWatching;
      return () => {
        listeners.delete(listener);
        if (listeners.size === 0) link.ask("watch", false).catch(() => undefined);
      };
    },
  };
}
