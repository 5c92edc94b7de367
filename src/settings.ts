import { type LimitName, type Quota, limitNames, limits, limitSettingName } from "./contract/limits.ts";
import { databaseSettings } from "./database-settings.ts";
import { mailSettings } from "./mail-settings.ts";
import { parseRedisUrl } from "./redis-url.ts";
import { type Mode, type Setting, modes, setting } from "./setting.ts";
import { telemetrySettings } from "./telemetry-settings.ts";
import {
  makeSecretKey,
  parseHost,
  parseMilliseconds,
  parseOrigins,
  parseProxies,
  parsePublicUrl,
  parseQuota,
  parseSecretKey,
  parseSeconds,
  parseWholeNumber,
  parseWord,
} from "./setting-parsers.ts";
import { tlsSettings } from "./tls-settings.ts";

const tokenAlgorithms = ["ES256", "EdDSA", "HS256"] as const;
const logLevels = ["fatal", "error", "warn", "info", "debug", "trace", "silent"] as const;

const workersMax = 64;
const argon2MemoryMin = { development: 8, production: 19_456 };
const argon2PassesMin = { development: 1, production: 2 };

/** Every setting there is, in the order in which they are read and shown. */
export const settings = {
  mode: setting({
    name: "TOLLGATE_MODE",
    meaning: "Development is made for trying out; production refuses to start with what is unsafe.",
    bounds: modes.join(", "),
    example: "production",
    otherwise: "development",
    parse: (text) => parseWord(text, modes),
  }),
  host: setting({
    name: "HOST",
    meaning: "The address to listen on; 0.0.0.0 is every IPv4 address of the machine, :: every address.",
    bounds: "an IP address or a host name",
    example: "127.0.0.1",
    otherwise: "127.0.0.1",
    parse: parseHost,
  }),
  port: setting({
    name: "PORT",
    meaning: "The TCP port to listen on.",
    bounds: "1 to 65535",
    example: "8000",
    otherwise: "8000",
    parse: (text) => parseWholeNumber(text, 1, 65_535),
  }),
  tlsCertificatePath: tlsSettings.certificate,
  tlsKeyPath: tlsSettings.key,
  publicUrl: setting({
    name: "PUBLIC_URL",
    meaning: "The origin of this server as clients see it: issuer of the tokens, base of the problem types.",
    bounds: "an http or https origin; in production https, or http with TRUSTED_PROXIES",
    example: "https://accounts.example.com",
    demandedInProduction: "write PUBLIC_URL=https://accounts.example.com with your own host name",
    defaultShown: "http://localhost:PORT; https with TLS_CERT_FILE",
    otherwise: ({ port, scheme }) => `${scheme}://localhost:${port}`,
    parse: parsePublicUrl,
  }),
  workers: setting({
    name: "WORKERS",
    meaning: "How many processes serve, all on one port; `serve --workers` goes before it.",
    bounds: "1 to 64",
    example: "2",
    otherwise: "1",
    parse: (text) => parseWholeNumber(text, 1, workersMax),
  }),
  shutdownDelayMilliseconds: setting({
    name: "SHUTDOWN_DELAY",
    meaning:
      "How long after SIGTERM requests are still taken, while /health/ready is 503 already: as long as a balancer needs to notice.",
    bounds: "0s to 5m",
    example: "5s",
    otherwise: "0s",
    parse: (text) => parseMilliseconds(text, "0s", "5m"),
  }),
  ...databaseSettings,
  redis: setting({
    name: "REDIS_URL",
    meaning: "Redis or Valkey, where processes share limits and decisions; without it each keeps its own in memory.",
    bounds: "redis:// or rediss://, host and port; several, comma separated, are nodes of a Cluster",
    example: "redis://127.0.0.1:6379",
    secret: true,
    otherwise: "",
    parse: parseRedisUrl,
  }),
  secretKey: setting({
    name: "SECRET_KEY",
    meaning: "The secret from which every key of this server is derived. Whoever has it can sign in as anybody.",
    bounds: "32 to 1024 bytes",
    example: "",
    secret: true,
    demandedInProduction: makeSecretKey,
    defaultShown: "made on the first start and kept in the data directory",
    otherwise: "",
    parse: parseSecretKey,
  }),
  tokenAlgorithm: setting({
    name: "TOKEN_ALGORITHM",
    meaning: "How access tokens are signed; HS256 signs with SECRET_KEY, so nobody else can check them.",
    bounds: tokenAlgorithms.join(", "),
    example: "ES256",
    otherwise: "ES256",
    parse: (text) => parseWord(text, tokenAlgorithms),
  }),
  accessTokenLifetimeSeconds: setting({
    name: "ACCESS_TOKEN_LIFETIME",
    meaning: "How long an access token is good for.",
    bounds: "60s to 1h",
    example: "15m",
    otherwise: "15m",
    parse: (text) => parseSeconds(text, "60s", "1h"),
  }),
  jwksMaxAgeSeconds: setting({
    name: "JWKS_MAX_AGE",
    meaning: "How long others may keep the public keys; a new key is published at least so long before it signs.",
    bounds: "1s to 1d",
    example: "5m",
    otherwise: "5m",
    parse: (text) => parseSeconds(text, "1s", "1d"),
  }),
  sessionLifetimeSeconds: setting({
    name: "SESSION_LIFETIME",
    meaning: "How long after signing in a session ends for good.",
    bounds: "1h to 365d",
    example: "90d",
    otherwise: "90d",
    parse: (text) => parseSeconds(text, "1h", "365d"),
  }),
  sessionIdleLifetimeSeconds: setting({
    name: "SESSION_IDLE_LIFETIME",
    meaning: "How long a session lives on without being refreshed.",
    bounds: "1h to 365d",
    example: "14d",
    otherwise: "14d",
    parse: (text) => parseSeconds(text, "1h", "365d"),
  }),
  refreshOverlapSeconds: setting({
    name: "REFRESH_OVERLAP",
    meaning: "How long a refresh token just used may be used again, by another tab, for the same successor.",
    bounds: "0s to 60s",
    example: "10s",
    otherwise: "10s",
    parse: (text) => parseSeconds(text, "0s", "60s"),
  }),
  reauthenticationAgeSeconds: setting({
    name: "REAUTHENTICATION_AGE",
    meaning: "How long ago the password may have been proved for what cannot be undone.",
    bounds: "60s to 1d",
    example: "15m",
    otherwise: "15m",
    parse: (text) => parseSeconds(text, "60s", "1d"),
  }),
  trustedProxies: setting({
    name: "TRUSTED_PROXIES",
    meaning: "The proxies whose forwarding headers are believed; without them the address is the socket's.",
    bounds: "IP addresses, CIDRs or loopback, comma separated",
    example: "10.0.0.0/8",
    defaultShown: "none",
    otherwise: "",
    parse: parseProxies,
  }),
  corsOrigins: setting({
    name: "CORS_ORIGINS",
    meaning: "The origins whose pages may call this server from a browser.",
    bounds: "exact origins, comma separated",
    example: "https://app.example.com",
    defaultShown: "none",
    otherwise: "",
    parse: parseOrigins,
  }),
  logLevel: setting({
    name: "LOG_LEVEL",
    meaning: "What is logged: this and everything graver.",
    bounds: logLevels.join(", "),
    example: "info",
    otherwise: "info",
    parse: (text) => parseWord(text, logLevels),
  }),
  ...telemetrySettings,
  hashThreads: setting({
    name: "HASH_THREADS",
    meaning: "How many passwords are hashed at once by each process, each in a thread.",
    bounds: "1 to the number of cores",
    example: "1",
    defaultShown: "the number of cores, divided among WORKERS",
    otherwise: ({ cores, workers }) => String(Math.max(1, Math.floor(cores / workers))),
    parse: (text, { cores }) => parseWholeNumber(text, 1, cores),
  }),
  hashQueueMax: setting({
    name: "HASH_QUEUE",
    meaning: "How many hashes wait for a thread; the next one is answered 503 busy.",
    bounds: "1 to 10000",
    example: "32",
    defaultShown: "16 for each of HASH_THREADS",
    otherwise: ({ hashThreads }) => String(Math.min(16 * hashThreads, 10_000)),
    parse: (text) => parseWholeNumber(text, 1, 10_000),
  }),
  hashDeadlineMilliseconds: setting({
    name: "HASH_DEADLINE",
    meaning: "How long a hash may take with its waiting; then 503 busy.",
    bounds: "100ms to 60s",
    example: "5s",
    otherwise: "5s",
    parse: (text) => parseMilliseconds(text, "100ms", "60s"),
  }),
  argon2MemoryKibibytes: setting({
    name: "ARGON2_MEMORY_KIB",
    meaning: "Memory of one argon2id hash in KiB.",
    bounds: "19456 to 1048576; from 8 in development",
    example: "19456",
    otherwise: "19456",
    parse: (text, { mode }) => parseWholeNumber(text, argon2MemoryMin[mode], 1_048_576),
  }),
  argon2Passes: setting({
    name: "ARGON2_PASSES",
    meaning: "How often argon2id goes over its memory.",
    bounds: "2 to 20; from 1 in development",
    example: "2",
    otherwise: "2",
    parse: (text, { mode }) => parseWholeNumber(text, argon2PassesMin[mode], 20),
  }),
  ...mailSettings,
};

export const limitSettings: ReadonlyMap<LimitName, Setting<Quota | undefined>> = new Map(
  limitNames.map((limit) => [limit, limitSetting(limit)]),
);

function limitSetting(limit: LimitName): Setting<Quota | undefined> {
  const { quota, windowSeconds, per, meaning } = limits[limit];
  return setting({
    name: limitSettingName(limit),
    meaning: `${meaning} Accepted requests in a sliding window, per ${per}.`,
    bounds: "1 to 1000000 requests / 1s to 30d, or off",
    example: `${quota}/${windowSeconds}s`,
    otherwise: `${quota}/${windowSeconds}s`,
    parse: parseQuota,
  });
}

export type SettingReference = {
  readonly name: string;
  readonly meaning: string;
  readonly bounds: string;
  readonly secret: boolean;
  readonly defaults: Readonly<Record<Mode, string>>;
};

/** The rows of docs/reference/settings.md. */
export function settingsReference(): SettingReference[] {
  const known = {
    mode: "development",
    cores: 1,
    port: 8000,
    scheme: "http",
    workers: 1,
    hashThreads: 1,
    hasMail: true,
  } as const;
  return [...Object.values<Setting<unknown>>(settings), ...limitSettings.values()].map((entry) => {
    const { name, meaning, bounds, secret } = entry;
    const development = entry.defaultShown ?? (entry.defaultText(known) || "none");
    const production = entry.demandedInProduction === undefined ? development : "must be set";
    return { name, meaning, bounds, secret, defaults: { development, production } };
  });
}
