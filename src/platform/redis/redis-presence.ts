import type { Logger } from "pino";
import type { Clock } from "../clock.ts";
import type { RedisClient } from "./redis-client.ts";
import { reasonOf } from "./redis-faults.ts";
import type { RedisMetrics } from "./redis-metrics.ts";

/**
 * Whether Redis is there: the circuit breaker. One failure and it counts as away, so that nobody else waits for it; a
 * look now and then finds out when it is back, and, while nobody asks for anything, when it goes.
 */
export type RedisPresence = {
  /** Why it is away; undefined while it is there. */
  readonly fault: () => string | undefined;
  /** Something that was asked of a key failed. Returns why, in a word or two. */
  readonly failed: (error: unknown, asked: { readonly key: string; readonly at: number }) => string;
  readonly look: () => Promise<void>;
  readonly stop: () => void;
};

type Parts = {
  readonly client: RedisClient;
  readonly clock: Pick<Clock, "monotonicNow">;
  readonly log: Logger;
  readonly metrics: Pick<RedisMetrics, "isUp">;
  /** Throws when Redis cannot count, near this key. */
  readonly tryOut: (key: string) => Promise<unknown>;
};

const lookEveryMilliseconds = { there: 1_000, away: 250 };
const logEveryMilliseconds = 1_000;
const notConnected = "not connected";

export function createRedisPresence({ client, clock, log, metrics, tryOut }: Parts): RedisPresence {
  let state: State = { fault: notConnected, since: clock.monotonicNow() };
  let connectionFault: string | undefined;
  let lookedForKey = "look";
  let timer: NodeJS.Timeout | undefined;
  let isStopped = false;
  const tell = createTeller(clock, log);

  const change = (fault: string | undefined): void => {
    if (isStopped) return;
    const isSame = (state.fault === undefined) === (fault === undefined);
    state = { fault, since: isSame ? state.since : clock.monotonicNow() };
    metrics.isUp.set(fault === undefined ? 1 : 0);
    tell(state);
    if (!isSame) lookLater();
  };
  const reason = (error: unknown): string => reasonOf(error) ?? connectionFault ?? notConnected;
  const look = async (): Promise<void> => {
    try {
      await tryOut(lookedForKey);
      change(undefined);
    } catch (error) {
      change(reason(error));
    }
    lookLater();
  };
  const lookLater = (): void => {
    clearTimeout(timer);
    if (isStopped) return;
    const milliseconds = state.fault === undefined ? lookEveryMilliseconds.there : lookEveryMilliseconds.away;
    timer = setTimeout(() => void look(), milliseconds).unref();
  };
  const remember = (error: unknown): void => {
    connectionFault = reasonOf(error);
  };
  client.on("error", remember).on("node error", remember);
  client.on("ready", () => remember(undefined));
  client.on("close", () => change(reason(undefined)));

  return {
    fault: () => state.fault,
    look,
    failed: (error, { key, at }) => {
      // What was asked before Redis came back says nothing about Redis now.
      if (at >= state.since) {
        // In a Cluster one node may be away, and others not: it is looked for by a key that lives there.
        lookedForKey = `look${/\{.+?\}/s.exec(key)?.[0] ?? ""}`;
        change(reason(error));
      }
      return reason(error);
    },
    stop: () => {
      isStopped = true;
      clearTimeout(timer);
    },
  };
}

type State = { readonly fault: string | undefined; readonly since: number };

/** Logs a change, one line in a second at most; what was left out then is told by the next look. */
function createTeller(clock: Pick<Clock, "monotonicNow">, log: Logger): (state: State) => void {
  // A server that starts with Redis there says nothing.
  let awaySince: number | undefined;
  let toldAt = Number.NEGATIVE_INFINITY;
  return ({ fault, since }) => {
    const now = clock.monotonicNow();
    if ((fault === undefined) === (awaySince === undefined) || now - toldAt < logEveryMilliseconds) return;
    toldAt = now;
    if (fault !== undefined) {
      awaySince = since;
      log.warn({ part: "redis", reason: fault }, "Redis is away: this process decides limits without it");
      return;
    }
    const awaySeconds = Math.round((now - (awaySince ?? now)) / 1000);
    awaySince = undefined;
    log.warn({ part: "redis", away_seconds: awaySeconds }, "Redis is back: limits are counted together again");
  };
}
