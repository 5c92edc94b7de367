import { Cluster } from "ioredis";
import type { Logger } from "pino";
import type { Clock } from "../clock.ts";
import { withPatience } from "../patience.ts";
import { createRedisBatches } from "./redis-batches.ts";
import { connectRedis, type RedisClient } from "./redis-client.ts";
import { RedisAway, RedisLate, isNotLoaded, reasonOf } from "./redis-faults.ts";
import { lengthsOf } from "./redis-lengths.ts";
import type { RedisMetrics } from "./redis-metrics.ts";
import { createRedisPresence } from "./redis-presence.ts";
import { type RedisScript, redisScript } from "./redis-script.ts";

/**
 * What processes share, in Redis or Valkey. Nobody ever waits long for it: an answer comes within 30 milliseconds, or
 * the caller decides without it; and while it is away, it is not even asked (see redis-presence.ts).
 */
export type Redis = {
  /** Connects; gives up waiting after a second, and goes on trying in the background. */
  readonly open: () => Promise<void>;
  /** Runs a script on one key, whose name gets this installation's prefix. Throws RedisAway. */
  readonly run: (script: RedisScript, key: string, args: Args) => Promise<unknown>;
  /** The strings whose names begin so, with their lengths in bytes; of very many only some. For people, who can wait a second. */
  readonly lengths: (prefix: string, countMax: number) => Promise<ReadonlyMap<string, number>>;
  /** Why it is away; undefined while it is there. */
  readonly fault: () => string | undefined;
  readonly close: () => Promise<void>;
};

export type RedisParts = {
  readonly client: RedisClient;
  /** Before every key, so that two installations in one Redis do not count together. */
  readonly keyPrefix: string;
  readonly clock: Clock;
  readonly metrics: Pick<RedisMetrics, "seconds" | "isUp">;
  readonly log: Logger;
  readonly answerMillisecondsMax?: number;
};

/** Leaves 20 of the 50 milliseconds in which a request is decided. */
const answerMillisecondsMaxDefault = 30;
const openMillisecondsMax = 1_000;
/** More in one call, and Redis would have nothing to do until the last of them is asked. */
const questionsMax = 16;
const closeMillisecondsMax = 500;
const lengthsMillisecondsMax = 1_000;

type Args = readonly (string | number)[];

/** Writes, as counting does: a Redis that can only be read, or is full, is of no use. */
const lookScript = redisScript("look", `return redis.call("SET", KEYS[1], "1", "PX", 1000)`);

export function createRedis({
  client,
  keyPrefix,
  clock,
  metrics,
  log,
  answerMillisecondsMax = answerMillisecondsMaxDefault,
}: RedisParts): Redis {
  const presence = createRedisPresence({
    client,
    clock,
    log,
    metrics,
    tryOut: (key) => withPatience(answerMillisecondsMax, evaluate(client, lookScript, [keyPrefix + key], []), late),
  });
  const call = async (script: RedisScript, keys: readonly string[], args: Args): Promise<unknown> => {
    const fault = presence.fault();
    if (fault !== undefined) throw new RedisAway(fault);
    const at = clock.monotonicNow();
    const names = keys.map((key) => keyPrefix + key);
    const asked = evaluate(client, script, names, args);
    try {
      return await withPatience(answerMillisecondsMax, asked, late);
    } catch (error) {
      const reason = presence.failed(error, { key: keys[0] ?? "", at });
      throw new RedisAway(reason, error instanceof RedisLate ? asked : undefined);
    } finally {
      metrics.seconds.observe({ script: script.name }, (clock.monotonicNow() - at) / 1000);
    }
  };
  const batches = createRedisBatches({
    call,
    failed: (error, asked) => new RedisAway(presence.failed(error, asked)),
    now: clock.monotonicNow,
    // The keys of a call live on one node.
    questionsMax: client instanceof Cluster ? 1 : questionsMax,
  });
  return {
    open: async () => {
      await withPatience(openMillisecondsMax, connectRedis(client), late).catch(() => undefined);
      await presence.look();
    },
    run: (script, key, args) => (script.isForMany ? batches.ask(script, key, args) : call(script, [key], args)),
    lengths: async (prefix, countMax) => {
      try {
        const lengths = await withPatience(
          lengthsMillisecondsMax,
          lengthsOf(client, keyPrefix + prefix, countMax),
          late,
        );
        return new Map([...lengths].map(([name, length]) => [name.slice(keyPrefix.length), length]));
      } catch (error) {
        throw new RedisAway(reasonOf(error) ?? "not connected");
      }
    },
    fault: presence.fault,
    close: async () => {
      presence.stop();
      batches.send();
      // Lets what is under way be answered.
      await withPatience(closeMillisecondsMax, client.quit(), late).catch(() => undefined);
      client.disconnect();
    },
  };
}

async function evaluate(
  client: RedisClient,
  { lua, sha }: RedisScript,
  keys: readonly string[],
  args: Args,
): Promise<unknown> {
  try {
    return await client.evalsha(sha, keys.length, ...keys, ...args);
  } catch (error) {
    // The first time, and after a restart or SCRIPT FLUSH. Nothing was done, so it may be sent again.
    if (!isNotLoaded(error)) throw error;
    return client.eval(lua, keys.length, ...keys, ...args);
  }
}

const late = (): RedisLate => new RedisLate();
