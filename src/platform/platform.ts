import type { Kysely } from "kysely";
import type { Logger } from "pino";
import type { Config } from "../config.ts";
import { systemClock, type Clock } from "./clock.ts";
import { openDatabase, type DatabaseOptions } from "./database/database.ts";
import type { Tables } from "./database/tables.ts";
import { createPasswordHasher } from "./hashing/argon2-password-hasher.ts";
import { measuredHasher } from "./hashing/measured-hasher.ts";
import type { PasswordHasher } from "./hashing/password-hasher.ts";
import { createCounting } from "./counting.ts";
import type { DevelopmentSwitches } from "./development-switches.ts";
import type { DecisionLog } from "./http/decisions.ts";
import { createForwardingWatch, type ForwardingWatch } from "./http/forwarding-watch.ts";
import type { Mailer } from "./mail/mailer.ts";
import { readTemplateFiles, type TemplateFiles } from "./mail/template-files.ts";
import type { RateLimiter } from "./rate-limit/rate-limiter.ts";
import type { Redis } from "./redis/redis.ts";
import { createLog } from "./telemetry/log.ts";
import { createMeasure, type Measure } from "./telemetry/measure.ts";
import { areMetricsShown, createMetrics, type Metrics } from "./telemetry/metrics.ts";
import { createTraceExporter } from "./telemetry/trace-exporter.ts";
import { createTracing, type Tracing } from "./telemetry/tracing.ts";
import { createSecrets, loadOrCreateSecretKey, type Secrets } from "./secrets.ts";
import { createDevelopmentParts, type Worker } from "./workers/worker.ts";

/** Everything the server stands on. A function takes the part it touches: `Pick<Platform, "db" | "clock">`. */
export type Platform = {
  readonly config: Config;
  readonly db: Kysely<Tables>;
  readonly clock: Clock;
  /** The time that no switch turns: for durations that are measured and told, never for what expires. */
  readonly realClock: Clock;
  /** What a person may play with. `undefined` in production: there is nothing to reach. */
  readonly switches: DevelopmentSwitches | undefined;
  readonly secrets: Secrets;
  readonly passwordHasher: PasswordHasher;
  readonly rateLimiter: RateLimiter;
  /** `undefined` where no mail is sent: in production without SMTP_URL. */
  readonly mailer: Mailer | undefined;
  /** The operator's own texts for mail. */
  readonly templateFiles: TemplateFiles;
  readonly decisions: DecisionLog;
  /** Where processes share what they count; undefined without REDIS_URL. Connects when the server is built. */
  readonly redis: Redis | undefined;
  readonly metrics: Metrics;
  /** `undefined` without a collector. */
  readonly tracing: Tracing | undefined;
  readonly forwarding: ForwardingWatch;
  readonly log: Logger;
  /** Which one of several processes of this server on this machine; undefined when it is the only one. */
  readonly worker: Worker | undefined;
};

/**
 * Opens everything, or throws a StartError with a sentence for a person.
 * Tests hand in parts of their own, above all a clock.
 */
export async function createPlatform(
  config: Config,
  parts: Partial<Platform> = {},
  { isServing = false }: Pick<DatabaseOptions, "isServing"> = {},
): Promise<Platform> {
  const realClock = parts.clock ?? systemClock;
  const { worker } = parts;
  const { switches, inbox } = config.mode === "development" ? await createDevelopmentParts(realClock, worker) : nothing;
  const clock = switches?.clock ?? realClock;
  const metrics = parts.metrics ?? createMetrics();
  worker?.primary.tellMetrics(() => metrics.registry.getMetricsAsJSON());
  const log = parts.log ?? (await createLog(config, worker?.number));
  const onConnectionLost = (error: Error): void => log.warn({ err: error }, "an idle connection to the database broke");
  const tracing = parts.tracing ?? openTracing(config, { realClock, log, metrics });
  // Each request waits for it: nothing is timed that nobody can look at.
  const isMeasured = tracing !== undefined || areMetricsShown(config);
  const measure = isMeasured ? createMeasure({ metrics, realClock, tracing }) : undefined;
  const options = { isServing, outage: switches?.outage, measure, onConnectionLost };
  const db = parts.db ?? (await openDatabase(config.database, clock, options));
  const secrets = createSecrets(config.secretKey ?? loadOrCreateSecretKey(config.dataDirectory));
  return {
    config,
    realClock,
    switches,
    metrics,
    tracing,
    log,
    db,
    secrets,
    passwordHasher: createHasher(config.hashing, measure),
    ...(await createCounting({ config, clock, realClock, metrics, tracing, log, secrets, worker })),
    mailer: await createMailer(config, inbox),
    forwarding: createForwardingWatch({ trustedProxies: config.trustedProxies, clock: realClock, log }),
    templateFiles: readTemplateFiles(config.mail.templatesDirectory),
    worker,
    ...parts,
    clock,
  };
}

/** Production has no such parts. */
const nothing = { switches: undefined, inbox: undefined };

function openTracing(
  { traces }: Config,
  { realClock: clock, log, metrics }: Pick<Platform, "realClock" | "log" | "metrics">,
): Tracing | undefined {
  if (traces === undefined) return undefined;
  const { address, headers, share } = traces;
  const onDropped = (spans: number): void => metrics.spansDropped.inc(spans);
  return createTracing(createTraceExporter({ address, headers, clock, log, onDropped }), clock, share);
}

function createHasher(hashing: Config["hashing"], measure: Measure | undefined): PasswordHasher {
  const { threads, queueMax, deadlineMilliseconds, memoryKibibytes, passes } = hashing;
  const parameters = { memoryKibibytes, passes, parallelism: 1 };
  const hasher = createPasswordHasher({ threads, queueMax, deadlineMilliseconds, parameters });
  return measure ? measuredHasher(hasher, measure) : hasher;
}

/** What brings mail on its way: the relay, else the inbox of development; `undefined` where there is neither. */
export async function createMailer({ mail }: Config, inbox?: Mailer): Promise<Mailer | undefined> {
  const { relay, ...sender } = mail;
  if (relay === undefined) return inbox;
  const { createSmtpMailer } = await import("./mail/smtp-mailer.ts");
  return createSmtpMailer({ relay, ...sender });
}

export async function closePlatform({
  db,
  passwordHasher,
  redis,
  tracing,
}: Pick<Platform, "db" | "passwordHasher" | "redis" | "tracing">): Promise<void> {
  await passwordHasher.close();
  await redis?.close();
  await tracing?.close();
  await db.destroy();
}
