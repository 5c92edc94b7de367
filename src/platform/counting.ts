import { pino } from "pino";
import type { Config } from "../config.ts";
import { type LimitName, type WithoutRedis, limits } from "../contract/limits.ts";
import { type Clock, systemClock } from "./clock.ts";
import { createMemoryDecisionLog, type Decision, type DecisionLog } from "./http/decisions.ts";
import { createSharedDecisionLog } from "./http/redis-decisions.ts";
import type { Platform } from "./platform.ts";
import { createFallbackRateLimiter } from "./rate-limit/fallback-rate-limiter.ts";
import { createMemoryRateLimiter, type MemoryRateLimiter } from "./rate-limit/memory-rate-limiter.ts";
import { createRedisRateLimiter } from "./rate-limit/redis-rate-limiter.ts";
import { createRedisMetrics } from "./redis/redis-metrics.ts";
import { createSecrets, findSecretKey } from "./secrets.ts";
import { createMetrics } from "./telemetry/metrics.ts";
import { createPrimaryDecisionLog } from "./workers/primary-decisions.ts";
import { createPrimaryRateLimiter } from "./workers/primary-rate-limiter.ts";

const decisionsMax = 10_000;
const limiterKeysMax = 100_000;

/** The limits of one process, in its memory; those of several workers are in the memory of their primary process. */
export function createMemoryLimits(clock: Pick<Clock, "monotonicNow">): MemoryRateLimiter {
  return createMemoryRateLimiter(clock, { keysMax: limiterKeysMax });
}

/** The refusals of one process, or of several workers in their primary process. */
export function createMemoryDecisions(): DecisionLog {
  return createMemoryDecisionLog(decisionsMax);
}

/** What processes share if there is a Redis; if not, each keeps it in its own memory, and workers in their primary's. */
export async function createCounting({
  config,
  clock,
  realClock,
  metrics,
  tracing,
  log,
  secrets,
  worker,
}: Pick<Platform, "config" | "clock" | "realClock" | "metrics" | "tracing" | "log" | "secrets" | "worker">): Promise<
  Pick<Platform, "redis" | "rateLimiter" | "decisions">
> {
  const local = worker ? createPrimaryRateLimiter(worker.primary) : createMemoryLimits(clock);
  const ownDecisions = worker ? createPrimaryDecisionLog(worker.primary) : createMemoryDecisions();
  if (config.redis === undefined) return { redis: undefined, rateLimiter: local, decisions: ownDecisions };
  const [{ createRedisClient }, { createRedis }] = await Promise.all([
    import("./redis/redis-client.ts"),
    import("./redis/redis.ts"),
  ]);
  const redisMetrics = createRedisMetrics(metrics.registry);
  const plain = createRedis({
    client: createRedisClient(config.redis),
    // Two installations may use one Redis: what they share is not this.
    keyPrefix: `tollgate:${secrets.tag("redis", "key prefix").slice(0, 10)}:`,
    clock: realClock,
    metrics: redisMetrics,
    log,
  });
  const redis: typeof plain = tracing
    ? { ...plain, run: (script, key, args) => tracing.part(`redis ${script.name}`, () => plain.run(script, key, args)) }
    : plain;
  const shared = createRedisRateLimiter(redis);
  const rateLimiter = createFallbackRateLimiter({ redis: shared, local, withoutRedis, metrics: redisMetrics });
  const decisions = createSharedDecisionLog(redis, ownDecisions, { decisionsMax, log });
  const close = async (): Promise<void> => {
    await decisions.flush().catch((error: unknown) => log.warn({ err: error }, "decisions were not shared"));
    await redis.close();
  };
  return { redis: { ...redis, close }, rateLimiter, decisions };
}

/** A decision of any process, for a command that runs beside them; undefined without Redis. Never waits long. */
export async function findSharedDecision(config: Config, requestId: string): Promise<Decision | undefined> {
  const { redis: address, secretKey, dataDirectory } = config;
  const secret = secretKey ?? (dataDirectory && findSecretKey(dataDirectory));
  if (address === undefined || secret === undefined) return undefined;
  const clocks = { clock: systemClock, realClock: systemClock };
  const quiet = {
    metrics: createMetrics(),
    tracing: undefined,
    worker: undefined,
    log: pino({ level: "silent" }),
    secrets: createSecrets(secret),
  };
  const { redis, decisions } = await createCounting({ config, ...clocks, ...quiet });
  try {
    await redis?.open();
    return await decisions.find(requestId);
  } finally {
    await redis?.close();
  }
}

function withoutRedis(limitName: string): WithoutRedis {
  return Object.hasOwn(limits, limitName) ? limits[limitName as LimitName].withoutRedis : "local";
}
