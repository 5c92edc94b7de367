import { AggregatorRegistry } from "prom-client";
import type { Platform } from "../platform.ts";

/** The figures of all workers of this machine, added up, in the text format of Prometheus; alone, of this process. */
export async function readAllMetrics({ metrics, worker }: Pick<Platform, "metrics" | "worker">): Promise<string> {
  if (worker === undefined) return metrics.registry.metrics();
  return AggregatorRegistry.aggregate([...(await worker.primary.ask("metrics", null))]).metrics();
}
