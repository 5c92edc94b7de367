import { Writable } from "node:stream";
import type { Kysely } from "kysely";
import { pino, type Logger } from "pino";
import pretty from "pino-pretty";
import type { Config } from "../config.ts";
import { systemClock, type Clock } from "./clock.ts";
import { openDatabase } from "./database/database.ts";
import { createOutage, type Outage } from "./database/outage.ts";
import type { Tables } from "./database/tables.ts";
import { createPasswordHasher } from "./hashing/argon2-password-hasher.ts";
import type { PasswordHasher } from "./hashing/password-hasher.ts";
import { createCounting } from "./counting.ts";
import type { DecisionLog } from "./http/decisions.ts";
import { createInboxMailer } from "./mail/inbox-mailer.ts";
import type { Mailer } from "./mail/mailer.ts";
import { createSmtpMailer } from "./mail/smtp-mailer.ts";
import { readTemplateFiles, type TemplateFiles } from "./mail/template-files.ts";
import type { RateLimiter } from "./rate-limit/rate-limiter.ts";
import type { Redis } from "./redis/redis.ts";
import { createMetrics, type Metrics } from "./telemetry/metrics.ts";
import { createTurnableClock, type TurnableClock } from "./turnable-clock.ts";
import { createSecrets, loadOrCreateSecretKey, type Secrets } from "./secrets.ts";

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
  readonly log: Logger;
};

export type DevelopmentSwitches = { readonly outage: Outage; readonly clock: TurnableClock };

const inboxMailsMax = 200;

/**
 * Opens everything, or throws a StartError with a sentence for a person.
 * Tests hand in parts of their own, above all a clock.
 */
export async function createPlatform(config: Config, parts: Partial<Platform> = {}): Promise<Platform> {
  const { hashing } = config;
  const realClock = parts.clock ?? systemClock;
  const switches = config.mode === "development" ? createSwitches(realClock) : undefined;
  const clock = switches?.clock ?? realClock;
  const metrics = parts.metrics ?? createMetrics();
  const log = parts.log ?? createLog(config);
  const onConnectionLost = (error: Error): void => log.warn({ err: error }, "an idle connection to the database broke");
  const db = parts.db ?? (await openDatabase(config.database, clock, { outage: switches?.outage, onConnectionLost }));
  const secrets = createSecrets(config.secretKey ?? loadOrCreateSecretKey(config.dataDirectory));
  return {
    config,
    realClock,
    switches,
    metrics,
    log,
    db,
    secrets,
    passwordHasher: createPasswordHasher({
      threads: hashing.threads,
      queueMax: hashing.queueMax,
      deadlineMilliseconds: hashing.deadlineMilliseconds,
      parameters: { memoryKibibytes: hashing.memoryKibibytes, passes: hashing.passes, parallelism: 1 },
    }),
    ...createCounting({ config, clock, realClock, metrics, log, secrets }),
    mailer: createMailer(config),
    templateFiles: readTemplateFiles(config.mail.templatesDirectory),
    ...parts,
    clock,
  };
}

function createSwitches(realClock: Clock): DevelopmentSwitches {
  return { outage: createOutage(realClock), clock: createTurnableClock(realClock) };
}

/** What brings mail on its way; `undefined` where there is no relay and nobody to look into an inbox. */
export function createMailer({ mode, mail }: Config): Mailer | undefined {
  const { relay, ...sender } = mail;
  if (relay) return createSmtpMailer({ relay, ...sender });
  return mode === "development" ? createInboxMailer({ mailsMax: inboxMailsMax }) : undefined;
}

export async function closePlatform({
  db,
  passwordHasher,
  redis,
}: Pick<Platform, "db" | "passwordHasher" | "redis">): Promise<void> {
  await passwordHasher.close();
  await redis?.close();
  await db.destroy();
}

/** JSON lines in production; in development a line that a person reads at a glance. */
function createLog({ mode, logLevel }: Config): Logger {
  const options = { level: logLevel, base: null, messageKey: "message" };
  const destination = standardOutput();
  if (mode === "production") return pino(options, destination);
  const shownInLine = "method,path,status,gate,code,duration_ms,request_id,address,account_id,time";
  return pino(options, pretty({ messageKey: "message", messageFormat: requestLine, ignore: shownInLine, destination }));
}

/**
 * A line that cannot be written is lost, and the next one is tried: main.ts lets the errors of process.stdout pass.
 * pino's own destination loops for ever on a full disk.
 */
function standardOutput(): Writable {
  return new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      process.stdout.write(chunk);
      done();
    },
  });
}

function requestLine(line: Readonly<Record<string, unknown>>, messageKey: string): string {
  const { method, path, status, gate, code, duration_ms: milliseconds, request_id: requestId } = line;
  const why = typeof code === "string" ? `${typeof gate === "string" ? gate : ""} ${code}`.trim() : "";
  if (method === undefined) return [line[messageKey], why, requestId].filter(Boolean).join(" ");
  return [method, path, status, why, `${String(milliseconds)} ms`, requestId].filter(Boolean).join(" ");
}
