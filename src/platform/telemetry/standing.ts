import { collectDefaultMetrics, Gauge, Counter } from "prom-client";
import { limitNames } from "../../contract/limits.ts";
import type { Platform } from "../platform.ts";
import { tollgateVersion } from "../version.ts";
import type { EventLoopDelay } from "./event-loop-delay.ts";

/** How a process adds up with the others of its machine: see `AggregatorRegistry` of prom-client. */
type Together = "sum" | "max" | "first";

export type StandingGauge = (
  name: string,
  help: string,
  together: Together,
  read: () => number | Promise<number>,
) => void;

/** Makes gauges that are read when somebody asks. One that cannot be read now is left out. */
export function createGauges({ metrics }: Pick<Platform, "metrics">): StandingGauge {
  return (name, help, together, read) => {
    const gauge = new Gauge({
      name: `tollgate_${name}`,
      help,
      aggregator: together,
      registers: [metrics.registry],
      collect: async () => {
        try {
          gauge.set(await read());
        } catch {
          gauge.remove();
        }
      },
    });
  };
}

/**
 * What is not counted but read: how the process stands when somebody asks. Once for a process: Node.js is watched from
 * here on.
 */
export function registerStanding(platform: Platform, eventLoopDelay: EventLoopDelay["read"]): void {
  const { metrics, config, passwordHasher, rateLimiter, forwarding } = platform;
  const registers = [metrics.registry];
  const gauge = createGauges(platform);
  gauge("hash_running", "Hashes that have a thread now.", "sum", () => passwordHasher.stats().running);
  gauge("hash_waiting", "Hashes that wait for a thread now.", "sum", () => passwordHasher.stats().queued);
  gauge("hash_waiting_max", "How many may wait; the next one is refused.", "sum", () => config.hashing.queueMax);
  gauge("hash_threads", "How many hashes can run at once.", "sum", () => config.hashing.threads);
  gauge("forwarding_amiss", "1 while clients that a proxy forwards are all counted as one.", "max", () =>
    Number(forwarding.isAmiss()),
  );
  const refused = new Counter({
    name: "tollgate_hashes_refused_total",
    help: "Hashes that were refused because the queue was full, or that came too late.",
    registers,
    collect: () => {
      refused.reset();
      refused.inc(passwordHasher.stats().refused);
    },
  });
  const keys = new Gauge({
    name: "tollgate_limiter_keys",
    help: "Keys that the limiter of the process holds, by limit.",
    labelNames: ["limit"],
    // Workers without Redis count in their primary process, and each tells its figure.
    aggregator: "max",
    registers,
    collect: () => {
      for (const limit of limitNames) keys.set({ limit }, rateLimiter.keysHeld(limit));
    },
  });
  const delay = new Gauge({
    name: "tollgate_event_loop_delay_seconds",
    help: "How late timers were in the last seconds: what each request waits in addition.",
    labelNames: ["quantile"],
    aggregator: "max",
    registers,
    collect: () => {
      const { p50Milliseconds, p99Milliseconds } = eventLoopDelay();
      delay.set({ quantile: "0.5" }, p50Milliseconds / 1000);
      delay.set({ quantile: "0.99" }, p99Milliseconds / 1000);
    },
  });
  new Gauge({
    name: "tollgate_info",
    help: "Always 1: the version and the mode are labels.",
    labelNames: ["version", "mode"],
    aggregator: "first",
    registers,
  }).set({ version: tollgateVersion, mode: config.mode }, 1);
  collectDefaultMetrics({ register: metrics.registry });
}
