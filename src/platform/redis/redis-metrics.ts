import { Counter, Gauge, Histogram, type Registry } from "prom-client";

/** Only there when Redis is: a server without it shows no part that is "down". */
export type RedisMetrics = {
  /** How long calls of scripts in Redis took, the network and what came too late included. */
  readonly seconds: Histogram<"script">;
  /** 1 while Redis is there, 0 while it is away. */
  readonly isUp: Gauge;
  /** Decisions of a limit without Redis: counted by this process (`local`), or not at all (`open`). */
  readonly limitsWithoutRedis: Counter<"limit" | "counted">;
};

export function createRedisMetrics(registry: Registry): RedisMetrics {
  const registers = [registry];
  return {
    seconds: new Histogram({
      name: "tollgate_redis_seconds",
      help: "How long scripts in Redis took, by script.",
      labelNames: ["script"],
      buckets: [0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1],
      registers,
    }),
    isUp: new Gauge({ name: "tollgate_redis_up", help: "1 while Redis is there, 0 while it is away.", registers }),
    limitsWithoutRedis: new Counter({
      name: "tollgate_limits_without_redis_total",
      help: "Decisions of limits without Redis: counted by this process (local), or let pass uncounted (open).",
      labelNames: ["limit", "counted"],
      registers,
    }),
  };
}
