import { withPatience } from "../../platform/patience.ts";
import type { Platform } from "../../platform/platform.ts";
import { createSingleFlight } from "../../platform/single-flight.ts";
import type { EventLoopDelay } from "../../platform/telemetry/event-loop-delay.ts";
import { areMetricsShown } from "../../platform/telemetry/metrics.ts";
import { createGauges, registerStanding } from "../../platform/telemetry/standing.ts";
import { readAllMetrics } from "../../platform/workers/all-metrics.ts";
import { outboxStanding } from "../mail/mail.ts";

/** Prometheus waits 10 seconds; what hangs must not take all the others with it. */
const readMillisecondsMax = 1_000;

/**
 * All figures of this server on this machine, in the text format of Prometheus: with workers, any of them tells those of
 * all. Who asks while they are gathered gets the same ones, so no number of readers makes more work than one.
 */
export function createMetricsReader(platform: Platform, eventLoopDelay: EventLoopDelay["read"]): () => Promise<string> {
  if (areMetricsShown(platform.config)) {
    registerStanding(platform, eventLoopDelay);
    registerOutbox(platform);
  }
  const once = createSingleFlight<string>();
  return () => once("text", () => readAllMetrics(platform));
}

/** The outbox is one for all processes: the largest figure is everybody's. */
function registerOutbox(platform: Platform): void {
  const gauge = createGauges(platform);
  const once = createSingleFlight<Awaited<ReturnType<typeof outboxStanding>>>();
  const standing = () =>
    withPatience(
      readMillisecondsMax,
      once("outbox", () => outboxStanding(platform)),
      () => new Error("The database did not answer in time."),
    );
  gauge("mail_outbox", "Mails that wait to be sent.", "max", async () => (await standing()).mails);
  gauge(
    "mail_outbox_oldest_seconds",
    "How long the oldest mail has been waiting to be sent; 0 when none does.",
    "max",
    async () => (await standing()).oldestSeconds,
  );
}
