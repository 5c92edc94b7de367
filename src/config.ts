import { availableParallelism } from "node:os";
import { dirname, resolve } from "node:path";
import type { LimitName, Quota } from "./contract/limits.ts";
import type { PostgresTarget } from "./database-url.ts";
import type { RedisAddress } from "./redis-url.ts";
import { type Fault, parsePublicUrl } from "./setting-parsers.ts";
import { type MailConfig, mailFaults, readMail } from "./mail-settings.ts";
import type { Known, Setting } from "./setting.ts";
import { limitSettings, settings } from "./settings.ts";
import { type MetricsConfig, metricsFaults, readMetrics, readTraces, type TracesConfig } from "./telemetry-settings.ts";
import { type TlsConfig, tlsFaults } from "./tls-settings.ts";

export type Config = {
  readonly mode: "development" | "production";
  readonly host: string;
  readonly port: number;
  /** Processes that serve on this port, on this machine. */
  readonly workers: number;
  /** Between the first signal and the last request that is taken. */
  readonly shutdownDelayMilliseconds: number;
  /** undefined: plain HTTP. */
  readonly tls: TlsConfig | undefined;
  /** Origin of this server as clients see it, without a trailing slash: issuer of tokens, base of problem types. */
  readonly publicUrl: string;
  readonly database:
    | { readonly kind: "sqlite"; readonly path: string }
    | { readonly kind: "sqlite-memory" }
    | { readonly kind: "postgres"; readonly target: PostgresTarget; readonly bounds: PostgresBounds };
  /** Where processes share what they count; undefined: each counts in its own memory. */
  readonly redis: RedisAddress | undefined;
  /**
   * Where generated secrets and the control socket live: beside the file of the database, in ./data with PostgreSQL;
   * undefined for a database in memory.
   */
  readonly dataDirectory: string | undefined;
  /** undefined in development when none is given: one is then made and kept in the data directory. */
  readonly secretKey: string | undefined;
  readonly tokenAlgorithm: "ES256" | "EdDSA" | "HS256";
  readonly accessTokenLifetimeSeconds: number;
  readonly jwksMaxAgeSeconds: number;
  readonly sessionLifetimeSeconds: number;
  readonly sessionIdleLifetimeSeconds: number;
  readonly refreshOverlapSeconds: number;
  readonly reauthenticationAgeSeconds: number;
  readonly passwordLengthMin: number;
  /** Whether common passwords and words of the account are refused. */
  readonly passwordsChecked: boolean;
  readonly hashing: {
    readonly threads: number;
    readonly queueMax: number;
    readonly deadlineMilliseconds: number;
    readonly memoryKibibytes: number;
    readonly passes: number;
  };
  readonly mail: MailConfig;
  /** undefined is off. */
  readonly limits: Readonly<Record<LimitName, Quota | undefined>>;
  /** Addresses or CIDRs of the proxies whose forwarding headers are believed. */
  readonly trustedProxies: readonly string[];
  readonly corsOrigins: readonly string[];
  readonly logLevel: "fatal" | "error" | "warn" | "info" | "debug" | "trace" | "silent";
  readonly metrics: MetricsConfig;
  readonly traces: TracesConfig;
  /** All of it as people read it; holds no secret. */
  readonly settings: readonly EffectiveSetting[];
};

export type PostgresBounds = {
  readonly connectionsMax: number;
  /** For a connection, a new one included. */
  readonly waitMilliseconds: number;
  readonly statementMilliseconds: number;
};

/** A setting as it is in force; the value of a secret is masked. */
export type EffectiveSetting = {
  readonly name: string;
  readonly value: string;
  readonly origin: "default" | "environment";
  /** What it would be if nothing was set. */
  readonly default: string;
  readonly meaning: string;
  readonly bounds: string;
};

export type ConfigReading =
  | { readonly ok: true; readonly config: Config }
  | { readonly ok: false; readonly faults: readonly string[] };

export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Reads every setting once. An empty variable counts as not set.
 * Finds all faults, each a sentence that never holds the value of a secret.
 */
export function readConfig(env: Environment, cores: number = availableParallelism()): ConfigReading {
  const reader = createReader(env, cores);
  const config = readAll(reader);
  reader.faults.push(...unknownLimits(env), ...insecurePublicUrl(env, config), ...mailFaults(env, config));
  reader.faults.push(...unreachableMemory(config), ...tlsFaults(env, config), ...metricsFaults(config));
  return reader.faults.length === 0 ? { ok: true, config } : { ok: false, faults: reader.faults };
}

type Reader = {
  /** Takes the default for a bad value, so that the reading goes on to the next fault. */
  readonly read: <T>(setting: Setting<T>) => T;
  readonly learn: (known: Partial<Known>) => void;
  readonly faults: string[];
  readonly effective: EffectiveSetting[];
};

function createReader(env: Environment, cores: number): Reader {
  const faults: string[] = [];
  const effective: EffectiveSetting[] = [];
  let known: Known = {
    mode: "development",
    cores,
    port: 8000,
    scheme: "http",
    workers: 1,
    hashThreads: cores,
    hasMail: true,
  };
  return {
    faults,
    effective,
    learn: (more) => {
      known = { ...known, ...more };
    },
    read: (setting) => {
      const given = env[setting.name] ?? "";
      if (given === "" && setting.demandedInProduction !== undefined && known.mode === "production") {
        faults.push(`${setting.name} must be set in production: ${setting.demandedInProduction}.`);
      }
      effective.push(effectiveSetting(setting, given, known));
      const parsed = setting.parse(given === "" ? setting.defaultText(known) : given, known);
      if ("value" in parsed) return parsed.value;
      faults.push(faultSentence(setting, given, known, parsed));
      return defaultOf(setting, known);
    },
  };
}

function defaultOf<T>(setting: Setting<T>, known: Known): T {
  const parsed = setting.parse(setting.defaultText(known), known);
  if ("fault" in parsed) throw new Error(`the default of ${setting.name} is not within its bounds`);
  return parsed.value;
}

function readAll({ read, learn, effective }: Reader): Config {
  const mode = read(settings.mode);
  learn({ mode });
  const host = read(settings.host);
  const port = read(settings.port);
  learn({ port });
  const tls = readTls(read, learn);
  const publicUrl = read(settings.publicUrl);
  const workers = read(settings.workers);
  learn({ workers });
  const shutdownDelayMilliseconds = read(settings.shutdownDelayMilliseconds);
  const database = readDatabase(read);
  const redis = read(settings.redis);
  return {
    mode,
    host,
    port,
    tls,
    publicUrl,
    workers,
    shutdownDelayMilliseconds,
    database,
    redis,
    dataDirectory: dataDirectoryOf(database),
    secretKey: read(settings.secretKey),
    tokenAlgorithm: read(settings.tokenAlgorithm),
    accessTokenLifetimeSeconds: read(settings.accessTokenLifetimeSeconds),
    jwksMaxAgeSeconds: read(settings.jwksMaxAgeSeconds),
    sessionLifetimeSeconds: read(settings.sessionLifetimeSeconds),
    sessionIdleLifetimeSeconds: read(settings.sessionIdleLifetimeSeconds),
    refreshOverlapSeconds: read(settings.refreshOverlapSeconds),
    reauthenticationAgeSeconds: read(settings.reauthenticationAgeSeconds),
    ...passwordPolicy[mode],
    trustedProxies: read(settings.trustedProxies),
    corsOrigins: read(settings.corsOrigins),
    logLevel: read(settings.logLevel),
    metrics: readMetrics(read),
    traces: readTraces(read),
    hashing: readHashing(read, learn),
    mail: readMail(read, learn, mode),
    limits: readLimits(read),
    settings: effective,
  };
}

function readTls(read: Reader["read"], learn: Reader["learn"]): TlsConfig | undefined {
  const [certificatePath, keyPath] = [read(settings.tlsCertificatePath), read(settings.tlsKeyPath)];
  if (certificatePath === undefined || keyPath === undefined) return undefined;
  learn({ scheme: "https" });
  return { certificatePath, keyPath };
}

function readDatabase(read: Reader["read"]): Config["database"] {
  const database = read(settings.database);
  const bounds = {
    connectionsMax: read(settings.databasePool),
    waitMilliseconds: read(settings.databaseWaitMilliseconds),
    statementMilliseconds: read(settings.databaseTimeoutMilliseconds),
  };
  return database.kind === "postgres" ? { ...database, bounds } : database;
}

function dataDirectoryOf(database: Config["database"]): string | undefined {
  switch (database.kind) {
    case "sqlite":
      return dirname(database.path);
    case "sqlite-memory":
      return undefined;
    case "postgres":
      return resolve("data");
  }
}

/** Development takes the tutorial's six characters; production follows ASVS 6.2.1 and 6.2.4. */
const passwordPolicy = {
  development: { passwordLengthMin: 6, passwordsChecked: false },
  production: { passwordLengthMin: 15, passwordsChecked: true },
} as const;

function readHashing(read: Reader["read"], learn: Reader["learn"]): Config["hashing"] {
  const threads = read(settings.hashThreads);
  learn({ hashThreads: threads });
  return {
    threads,
    queueMax: read(settings.hashQueueMax),
    deadlineMilliseconds: read(settings.hashDeadlineMilliseconds),
    memoryKibibytes: read(settings.argon2MemoryKibibytes),
    passes: read(settings.argon2Passes),
  };
}

function readLimits(read: Reader["read"]): Config["limits"] {
  const quotas = [...limitSettings].map(([limit, setting]) => [limit, read(setting)]);
  return Object.fromEntries(quotas) as Config["limits"];
}

function effectiveSetting(setting: Setting<unknown>, given: string, known: Known): EffectiveSetting {
  const { name, meaning, bounds, shown = (text: string) => text } = setting;
  const otherwise = setting.defaultText(known) || (setting.defaultShown ?? "none");
  const value = given === "" ? otherwise : setting.secret ? "********" : shown(given);
  return { name, value, origin: given === "" ? "default" : "environment", default: otherwise, meaning, bounds };
}

function cureFor({ name, example, demandedInProduction }: Setting<unknown>, { mode }: Known): string {
  if (mode === "production" && demandedInProduction !== undefined) return demandedInProduction;
  return `write ${name}=${example}, or leave it out`;
}

function faultSentence(setting: Setting<unknown>, given: string, known: Known, parsed: Fault): string {
  const { fault, cure = cureFor(setting, known), isComplete } = parsed;
  const rest = isComplete ? "" : `${echo(setting, given)}: ${cure}`;
  return `${setting.name} ${fault}${rest}.`.replaceAll(/\p{Cc}/gu, "\uFFFD");
}

const echoLengthMax = 60;

/** The bad value, quoted and cut. Not where a secret may be in it: an address with "@" or ":" may carry a password. */
function echo(setting: Setting<unknown>, given: string): string {
  if (setting.secret || given.includes("@") || given.includes("://")) return "";
  return `, and ${JSON.stringify(given.length > echoLengthMax ? `${given.slice(0, echoLengthMax)}…` : given)} is not`;
}

function unknownLimits(env: Environment): string[] {
  const known = new Set([...limitSettings.values()].map((setting) => setting.name));
  const unknown = Object.keys(env).filter((name) => name.startsWith("LIMIT_") && !known.has(name) && env[name] !== "");
  return unknown.map((name) => {
    return `${name.slice(0, echoLengthMax)} names no limit: use one of ${[...known].join(", ")}, or remove it.`;
  });
}

function unreachableMemory({ workers, database }: Config): string[] {
  if (workers === 1 || database.kind !== "sqlite-memory") return [];
  return ["WORKERS must be 1 with DATABASE_URL=sqlite::memory:, which one process alone can reach: use a file."];
}

function insecurePublicUrl(env: Environment, { mode, trustedProxies }: Config): string[] {
  const given = parsePublicUrl(env[settings.publicUrl.name] ?? "");
  const isInsecure = "value" in given && given.value.startsWith("http:");
  if (mode === "development" || !isInsecure || trustedProxies.length > 0) return [];
  return [
    "PUBLIC_URL must be https in production: write https://, or name the proxy that speaks https in TRUSTED_PROXIES.",
  ];
}
