import assert from "node:assert/strict";
import { resolve } from "node:path";
import { test } from "node:test";
import { type Config, type Environment, type PostgresBounds, readConfig } from "./config.ts";
import { limitNames, limits } from "./contract/limits.ts";
import { settingsReference } from "./settings.ts";

const cores = 4;
const secretKey = "canary-0123456789-0123456789-0123456789";
const production = { TOLLGATE_MODE: "production", PUBLIC_URL: "https://accounts.example.com", SECRET_KEY: secretKey };

/** What the settings mean to the server; how people read them is looked at below. */
function configFrom(env: Environment): Config {
  const reading = readConfig(env, cores);
  assert.ok(reading.ok, JSON.stringify(reading));
  return { ...reading.config, settings: [] };
}

function faultsOf(env: Environment): readonly string[] {
  const reading = readConfig(env, cores);
  return reading.ok ? [] : reading.faults;
}

test("an empty environment is development, as the contract says", () => {
  assert.deepEqual(configFrom({}), {
    mode: "development",
    host: "127.0.0.1",
    port: 8000,
    tls: undefined,
    workers: 1,
    shutdownDelayMilliseconds: 0,
    publicUrl: "http://localhost:8000",
    database: { kind: "sqlite", path: resolve("data/tollgate.db") },
    redis: undefined,
    dataDirectory: resolve("data"),
    secretKey: undefined,
    tokenAlgorithm: "ES256",
    accessTokenLifetimeSeconds: 900,
    jwksMaxAgeSeconds: 300,
    sessionLifetimeSeconds: 90 * 86_400,
    sessionIdleLifetimeSeconds: 14 * 86_400,
    refreshOverlapSeconds: 10,
    reauthenticationAgeSeconds: 900,
    passwordLengthMin: 6,
    passwordsChecked: false,
    metrics: { port: undefined, token: undefined },
    traces: undefined,
    trustedProxies: [],
    corsOrigins: [],
    logLevel: "info",
    hashing: { threads: 4, queueMax: 64, deadlineMilliseconds: 5000, memoryKibibytes: 19_456, passes: 2 },
    mail: {
      relay: undefined,
      from: "tollgate@localhost",
      replyTo: undefined,
      productName: "Tollgate",
      locale: "en",
      templatesDirectory: undefined,
      keptSeconds: 30 * 86_400,
      emailVerification: "optional",
      signInByMail: false,
      lifetimesSeconds: {
        "verify-email": 86_400,
        "reset-password": 1800,
        "change-email": 3600,
        "sign-in": 600,
        "not-me": 7 * 86_400,
        "undo-email-change": 7 * 86_400,
      },
      codeLifetimeSeconds: 600,
    },
    limits: Object.fromEntries(
      limitNames.map((name) => [name, { quota: limits[name].quota, windowSeconds: limits[name].windowSeconds }]),
    ),
    settings: [],
  });
});

test("an empty variable counts as not set", () => {
  const names = settingsReference().map(({ name }) => name);
  assert.deepEqual(configFrom(Object.fromEntries(names.map((name) => [name, ""]))), configFrom({}));
});

function goodRedis(text: string, redis: Partial<NonNullable<Config["redis"]>>): Good {
  const plain = { nodes: [{ host: "h", port: 6379 }], tls: false, username: undefined, password: undefined };
  return { env: { REDIS_URL: text }, expected: { redis: { ...plain, databaseIndex: 0, ...redis } } };
}

type Good = { readonly env: Environment; readonly expected: Partial<Config> };

function goodLimit(text: string, quota: Config["limits"]["api"]): Good {
  return { env: { LIMIT_API: text }, expected: { limits: { ...configFrom({}).limits, api: quota } } };
}

function goodHashing(env: Environment, hashing: Partial<Config["hashing"]>): Good {
  return { env, expected: { hashing: { ...configFrom({}).hashing, ...hashing } } };
}

function goodMail(url: string, relay: object): Good {
  const mail = configFrom({}).mail;
  const expected = { user: undefined, password: undefined, ...relay } as Config["mail"]["relay"];
  return {
    env: { SMTP_URL: url, MAIL_FROM: "accounts@example.com" },
    expected: { mail: { ...mail, from: "accounts@example.com", relay: expected } },
  };
}

function onPostgres(bounds: Partial<PostgresBounds>): Partial<Config> {
  const target = {
    host: "db",
    port: 5432,
    database: "tollgate",
    user: "ada",
    password: "hunter2",
    tls: "disable",
    rootCertificatePath: undefined,
    shown: "postgres://ada@db:5432/tollgate",
  } as const;
  const defaults = { connectionsMax: 10, waitMilliseconds: 1000, statementMilliseconds: 2000 };
  return { database: { kind: "postgres", target, bounds: { ...defaults, ...bounds } } };
}

const good: readonly Good[] = [
  { env: { HOST: "0.0.0.0" }, expected: { host: "0.0.0.0" } },
  { env: { HOST: "::" }, expected: { host: "::" } },
  { env: { HOST: "my-host.example" }, expected: { host: "my-host.example" } },
  { env: { PORT: "1" }, expected: { port: 1, publicUrl: "http://localhost:1" } },
  { env: { PORT: "65535" }, expected: { port: 65_535, publicUrl: "http://localhost:65535" } },
  {
    env: { WORKERS: "64" },
    expected: { workers: 64, hashing: { ...configFrom({}).hashing, threads: 1, queueMax: 16 } },
  },
  { env: { SHUTDOWN_DELAY: "5m" }, expected: { shutdownDelayMilliseconds: 300_000 } },
  { env: { PUBLIC_URL: "HTTPS://Accounts.Example.com:443/" }, expected: { publicUrl: "https://accounts.example.com" } },
  { env: { PUBLIC_URL: "http://[::1]:8000" }, expected: { publicUrl: "http://[::1]:8000" } },
  {
    env: { DATABASE_URL: "sqlite:/var/lib/tollgate/t.db" },
    expected: { database: { kind: "sqlite", path: "/var/lib/tollgate/t.db" }, dataDirectory: "/var/lib/tollgate" },
  },
  {
    env: { DATABASE_URL: "sqlite::memory:" },
    expected: { database: { kind: "sqlite-memory" }, dataDirectory: undefined },
  },
  { env: { DATABASE_URL: "postgres://ada:hunter2@db/tollgate" }, expected: onPostgres({}) },
  {
    env: {
      DATABASE_URL: "postgres://ada:hunter2@db/tollgate",
      DATABASE_POOL: "500",
      DATABASE_WAIT: "50ms",
      DATABASE_TIMEOUT: "60s",
    },
    expected: onPostgres({ connectionsMax: 500, waitMilliseconds: 50, statementMilliseconds: 60_000 }),
  },
  goodRedis("redis://h", {}),
  goodRedis("redis://h:6379/", {}),
  goodRedis("rediss://my_redis-1.example.com:1/15", {
    nodes: [{ host: "my_redis-1.example.com", port: 1 }],
    tls: true,
    databaseIndex: 15,
  }),
  goodRedis("redis://:p%40s%2Cs@[::1]:65535", { nodes: [{ host: "::1", port: 65_535 }], password: "p@s,s" }),
  goodRedis("redis://user:pass@h", { username: "user", password: "pass" }),
  goodRedis("redis://user:pass@h, h:7001,redis://user:pass@[fd00::1]:7002/0", {
    nodes: [
      { host: "h", port: 6379 },
      { host: "h", port: 7001 },
      { host: "fd00::1", port: 7002 },
    ],
    username: "user",
    password: "pass",
  }),
  { env: { SECRET_KEY: "x".repeat(32) }, expected: { secretKey: "x".repeat(32) } },
  { env: { SECRET_KEY: "ü".repeat(16) }, expected: { secretKey: "ü".repeat(16) } },
  { env: { SECRET_KEY: "x".repeat(1024) }, expected: { secretKey: "x".repeat(1024) } },
  { env: { TOKEN_ALGORITHM: "HS256" }, expected: { tokenAlgorithm: "HS256" } },
  { env: { TOKEN_ALGORITHM: "EdDSA" }, expected: { tokenAlgorithm: "EdDSA" } },
  { env: { ACCESS_TOKEN_LIFETIME: "60" }, expected: { accessTokenLifetimeSeconds: 60 } },
  { env: { ACCESS_TOKEN_LIFETIME: "900s" }, expected: { accessTokenLifetimeSeconds: 900 } },
  { env: { ACCESS_TOKEN_LIFETIME: "1h" }, expected: { accessTokenLifetimeSeconds: 3600 } },
  { env: { SESSION_LIFETIME: "14d" }, expected: { sessionLifetimeSeconds: 14 * 86_400 } },
  { env: { REAUTHENTICATION_AGE: "1d" }, expected: { reauthenticationAgeSeconds: 86_400 } },
  {
    env: { TRUSTED_PROXIES: "10.0.0.1, 192.168.0.0/16,fd00::/8" },
    expected: { trustedProxies: ["10.0.0.1", "192.168.0.0/16", "fd00::/8"] },
  },
  {
    env: { CORS_ORIGINS: "https://App.example.com, http://localhost:3000" },
    expected: { corsOrigins: ["https://app.example.com", "http://localhost:3000"] },
  },
  { env: { LOG_LEVEL: "silent" }, expected: { logLevel: "silent" } },
  goodLimit("30/60s", { quota: 30, windowSeconds: 60 }),
  goodLimit("1/1", { quota: 1, windowSeconds: 1 }),
  goodLimit("1000000/30d", { quota: 1_000_000, windowSeconds: 2_592_000 }),
  goodLimit("off", undefined),
  goodHashing({ HASH_THREADS: "1" }, { threads: 1, queueMax: 16 }),
  goodHashing({ HASH_THREADS: "4", HASH_QUEUE: "1" }, { threads: 4, queueMax: 1 }),
  goodHashing({ HASH_QUEUE: "10000" }, { queueMax: 10_000 }),
  goodHashing({ HASH_DEADLINE: "100ms" }, { deadlineMilliseconds: 100 }),
  goodHashing({ HASH_DEADLINE: "60s" }, { deadlineMilliseconds: 60_000 }),
  goodMail("smtp://mail.example.com", { host: "mail.example.com", port: 587, isTls: false }),
  goodMail("smtps://mail.example.com/", { host: "mail.example.com", port: 465, isTls: true }),
  goodMail("smtp://[::1]:2525", { host: "::1", port: 2525, isTls: false }),
  goodMail("smtp://a%40b:p%3Aw%2F@h:25", { host: "h", port: 25, isTls: false, user: "a@b", password: "p:w/" }),
  {
    env: { MAIL_REPLY_TO: "help@example.com" },
    expected: { mail: { ...configFrom({}).mail, replyTo: "help@example.com" } },
  },
  {
    env: { PRODUCT_NAME: "Bücher & Co." },
    expected: { mail: { ...configFrom({}).mail, productName: "Bücher & Co." } },
  },
  goodHashing({ ARGON2_MEMORY_KIB: "8", ARGON2_PASSES: "1" }, { memoryKibibytes: 8, passes: 1 }),
];

test("a good value is taken, and changes nothing else", () => {
  for (const { env, expected } of good) {
    assert.deepEqual(configFrom(env), { ...configFrom({}), ...expected }, JSON.stringify(env));
  }
});

const bad: Readonly<Record<string, readonly string[]>> = {
  TOLLGATE_MODE: ["prod", "Production"],
  HOST: ["http://x", "a b", "-x", "x".repeat(254), "127.0.0.1:8000"],
  PORT: ["0", "65536", "-1", "8000.5", "1e3", "0x10", "abc", " 80"],
  WORKERS: ["0", "65", "-1", "auto"],
  SHUTDOWN_DELAY: ["6m", "-1s", "soon"],
  PUBLIC_URL: [
    "localhost:8000",
    "ftp://x",
    "https://x/path",
    "https://x?",
    "https://x#",
    "https://user:hunter2@x",
    "data:text/html,x",
    `https://${"x".repeat(255)}`,
  ],
  DATABASE_URL: [
    "postgres://u:hunter2@h/d?sslmode=prefer",
    "postgresql://h/d",
    "mysql://u:hunter2@h",
    "sqlite:",
    "sqlite:///x",
    "sqlite:data/",
    "data.db",
  ],
  DATABASE_POOL: ["0", "501", "ten"],
  DATABASE_WAIT: ["49ms", "31s", "0"],
  DATABASE_TIMEOUT: ["99ms", "61s", "off"],
  REDIS_URL: [
    "hunter2",
    "h:6379",
    "http://:hunter2@h",
    "redis:",
    "redis://",
    "redis://:hunter2@",
    "redis://:hunter2@h:0",
    "redis://:hunter2@h:65536",
    "redis://:hunter2@h/x",
    "redis://:hunter2@h/1/2",
    "redis://:hunter2@h?db=1",
    "redis://:hunter2@h#1",
    "redis://:hunter2%@h",
    "redis://a b",
    "redis://:hunter2@h,",
    "redis://:hunter2@h,rediss://:hunter2@i",
    "redis://:hunter2@h,redis://:other@i",
    "redis://:hunter2@h/1,i",
    "redis://:hunter2@h,i/1",
    "redis://:hunter2@h,i:x",
    `redis://h${",h".repeat(100)}`,
  ],
  SECRET_KEY: ["hunter2", "x".repeat(31), "x".repeat(1025)],
  TOKEN_ALGORITHM: ["none", "RS256", "es256"],
  ACCESS_TOKEN_LIFETIME: ["59", "3601", "61m", "1d", "900000ms", "15 m", "-15m", "15M", "1.5h"],
  JWKS_MAX_AGE: ["0s", "25h"],
  SESSION_IDLE_LIFETIME: ["3599", "366d"],
  REFRESH_OVERLAP: ["-1", "61s", "2m"],
  SESSION_LIFETIME: ["3599", "366d"],
  REAUTHENTICATION_AGE: ["59s", "25h"],
  TRUSTED_PROXIES: ["10.0.0.1,", "proxy.example.com", "10.0.0.0/33", "0.0.0.0/0", "\u001b[2J", "*"],
  CORS_ORIGINS: ["*", "null", "https://a,*", "https://a/path", "https://*.example.com,", "app.example.com"],
  LOG_LEVEL: ["verbose"],
  METRICS_PORT: ["0", "65536", "on", "8000"],
  METRICS_TOKEN: [
    "hunter2",
    "hunter2 hunter2 hunter2",
    "x".repeat(257),
    "hunter2=hunter2hunter2",
    "hunter2\nhunter2hunter2",
  ],
  OTEL_EXPORTER_OTLP_ENDPOINT: ["collector:4318", "ftp://h", "http://u:hunter2@h", "http://h?hunter2", "http://h#x"],
  OTEL_EXPORTER_OTLP_HEADERS: ["hunter2", "a=hunter2,", "a b=hunter2", "a=hunter2%0d%0a", "a=hunter2%"],
  OTEL_TRACES_SAMPLER_ARG: ["1.1", "-1", "10%", ".5"],
  HASH_THREADS: ["0", "5"],
  HASH_QUEUE: ["0", "10001"],
  HASH_DEADLINE: ["99ms", "61s"],
  ARGON2_MEMORY_KIB: ["7", "1048577"],
  ARGON2_PASSES: ["0", "21"],
  SMTP_URL: [
    "mail.example.com",
    "http://u:hunter2@h",
    "smtp:",
    "smtp://",
    "smtp://u@h",
    "smtp://:hunter2@h",
    "smtp://u:hunter2@h/path",
    "smtp://u:hunter2@h?tls=off",
    "smtp://u:hunter2@h:0",
    "smtp://u:hunter2%0d%0a@h",
    "smtp://u:hunter2%E0%A4@h",
    "smtp://u:hunter2@a%20b",
  ],
  MAIL_FROM: ["nobody", "A <a@example.com>", "a@example.com,b@example.com", "a@example.com\nbcc:b@x", '"a b"@x', "ü@x"],
  MAIL_REPLY_TO: ["nobody", "a@b@c", "a@x;b@x"],
  MAIL_LOCALE: ["English", "EN", "e", "de_AT", "x".repeat(36)],
  MAIL_KEPT: ["13d", "366d"],
  EMAIL_VERIFICATION: ["on", "Required"],
  SIGN_IN_BY_MAIL: ["true", "ON"],
  VERIFY_EMAIL_LIFETIME: ["4m", "15d"],
  RESET_PASSWORD_LIFETIME: ["4m", "25h"],
  CHANGE_EMAIL_LIFETIME: ["4m", "25h"],
  SIGN_IN_LINK_LIFETIME: ["59s", "61m"],
  NOT_ME_LIFETIME: ["59m", "15d"],
  UNDO_EMAIL_CHANGE_LIFETIME: ["23h", "15d"],
  MAIL_CODE_LIFETIME: ["59s", "11m"],
  PRODUCT_NAME: [" Example", "x".repeat(61), "a\nb", "<b>", "a\u202eb"],
  LIMIT_API: ["0/60s", "1000001/60s", "1/0s", "1/31d", "30", "30/", "/60s", "1/1/1", "OFF", "1/500ms"],
  LIMIT_APPI: ["1/1s"],
};

test("a bad value is one fault: a sentence that names the setting", () => {
  for (const [name, values] of Object.entries(bad)) {
    for (const value of values) {
      const faults = faultsOf({ [name]: value });
      assert.equal(faults.length, 1, `${name}=${value}: ${JSON.stringify(faults)}`);
      assert.match(faults[0] ?? "", new RegExp(`^${name} .+: .+\\.$`));
    }
  }
});

/** Any text may be a path; whether it is one, its reader says. */
const anyText: ReadonlySet<string> = new Set(["MAIL_TEMPLATES", "TLS_CERT_FILE", "TLS_KEY_FILE"]);

test("every setting that can be wrong is in the table of bad values", () => {
  const untested = settingsReference().filter(
    ({ name }) => !(name in bad) && !anyText.has(name) && !name.startsWith("LIMIT_"),
  );
  assert.deepEqual(untested, []);
});

test("an unknown limit is refused by naming the known ones", () => {
  assert.deepEqual(faultsOf({ LIMIT_LOGIN: "1/1s" }), [
    "LIMIT_LOGIN names no limit: use one of LIMIT_LIMITED, LIMIT_SIGN_UP, LIMIT_LOGIN_ADDRESS, " +
      "LIMIT_LOGIN_ACCOUNT, LIMIT_MAIL_ADDRESS, LIMIT_MAIL_ACCOUNT, LIMIT_MAIL_PROOF, LIMIT_REFRESH, LIMIT_API, " +
      "or remove it.",
  ]);
});

test("all faults are told at once", () => {
  const env = Object.fromEntries(Object.entries(bad).map(([name, values]) => [name, values[0]]));
  const faults = faultsOf(env);
  assert.equal(faults.length, Object.keys(bad).length);
  for (const name of Object.keys(bad))
    assert.equal(faults.filter((fault) => fault.startsWith(`${name} `)).length, 1, name);
});

// ASVS 16.2.5 (requirement 82)
test("no fault and no shown setting holds a secret", () => {
  for (const [name, values] of Object.entries(bad)) {
    for (const value of values) assert.doesNotMatch(faultsOf({ [name]: value }).join("\n"), /hunter2/);
  }
  const reading = readConfig({ SECRET_KEY: secretKey, DATABASE_URL: "postgres://ada:hunter2@db/tollgate" }, cores);
  assert.ok(reading.ok);
  assert.doesNotMatch(JSON.stringify(reading.config.settings), /canary|hunter2/);
  assert.equal(
    reading.config.settings.find(({ name }) => name === "DATABASE_URL")?.value,
    "postgres://ada:********@db/tollgate",
  );
  const shown = reading.config.settings.find(({ name }) => name === "SECRET_KEY");
  assert.equal(shown?.value, "********");
  assert.equal(shown?.origin, "environment");
});

test("a bad value cannot write to the terminal, and is cut", () => {
  for (const name of Object.keys(bad)) {
    const [fault = ""] = faultsOf({ [name]: `\u001b[2J\r\n${"x".repeat(10_000)}` });
    assert.doesNotMatch(fault, /\p{Cc}/u, name);
    assert.ok(fault.length < 400, name);
  }
});

test("every setting is shown with its value and origin", () => {
  const reading = readConfig({ PORT: "9000" }, cores);
  assert.ok(reading.ok);
  assert.deepEqual(
    reading.config.settings.map(({ name }) => name).toSorted(),
    settingsReference()
      .map(({ name }) => name)
      .toSorted(),
  );
  const byName = new Map(reading.config.settings.map((setting) => [setting.name, setting]));
  assert.equal(byName.get("PORT")?.value, "9000");
  assert.equal(byName.get("PORT")?.origin, "environment");
  assert.equal(byName.get("PUBLIC_URL")?.value, "http://localhost:9000");
  assert.equal(byName.get("PUBLIC_URL")?.origin, "default");
  assert.deepEqual(
    reading.config.settings.filter(({ value, meaning, bounds }) => !value || !meaning || !bounds),
    [],
  );
});

// ASVS 6.2.1, 6.2.4 (requirement 1)
test("production needs long passwords and refuses common ones", () => {
  const { mode, passwordLengthMin, passwordsChecked, secretKey: kept } = configFrom(production);
  assert.deepEqual(
    { mode, passwordLengthMin, passwordsChecked },
    { mode: "production", passwordLengthMin: 15, passwordsChecked: true },
  );
  assert.equal(kept, secretKey);
});

test("production demands what it cannot do without, one sentence each", () => {
  const cases: readonly { env: Environment; faults: readonly RegExp[] }[] = [
    {
      env: { TOLLGATE_MODE: "production" },
      faults: [/^PUBLIC_URL must be set in production/, /^SECRET_KEY must be set in production: make one/],
    },
    { env: { ...production, SECRET_KEY: "" }, faults: [/^SECRET_KEY must be set/] },
    { env: { ...production, PUBLIC_URL: undefined }, faults: [/^PUBLIC_URL must be set/] },
    {
      env: { ...production, PUBLIC_URL: "http://accounts.example.com" },
      faults: [/^PUBLIC_URL must be https .*TRUSTED_PROXIES\.$/],
    },
    { env: { ...production, PUBLIC_URL: "nonsense" }, faults: [/^PUBLIC_URL must be an http or https origin/] },
    {
      env: { ...production, ARGON2_MEMORY_KIB: "19455" },
      faults: [/^ARGON2_MEMORY_KIB must be a whole number from 19456/],
    },
    { env: { ...production, ARGON2_PASSES: "1" }, faults: [/^ARGON2_PASSES must be a whole number from 2/] },
    { env: { ...production, PUBLIC_URL: "http://accounts.example.com", TRUSTED_PROXIES: "10.0.0.1" }, faults: [] },
  ];
  for (const { env, faults } of cases) {
    const found = faultsOf(env);
    assert.equal(found.length, faults.length, JSON.stringify(found));
    for (const [index, fault] of faults.entries()) assert.match(found[index] ?? "", fault);
  }
});

test("what is promised to people by mail needs a relay in production, and is off by default without one", () => {
  assert.equal(configFrom(production).mail.emailVerification, "off");
  assert.deepEqual(faultsOf({ ...production, EMAIL_VERIFICATION: "required", SIGN_IN_BY_MAIL: "on" }), [
    "EMAIL_VERIFICATION=required needs mail: set SMTP_URL and MAIL_FROM, or write EMAIL_VERIFICATION=off.",
    "SIGN_IN_BY_MAIL=on needs mail: set SMTP_URL and MAIL_FROM, or write SIGN_IN_BY_MAIL=off.",
  ]);
  const relay = { SMTP_URL: "smtp://localhost", MAIL_FROM: "accounts@example.com" };
  assert.equal(configFrom({ ...production, ...relay }).mail.emailVerification, "optional");
  assert.deepEqual(faultsOf({ ...production, ...relay, EMAIL_VERIFICATION: "required", SIGN_IN_BY_MAIL: "on" }), []);
  assert.deepEqual(faultsOf({ EMAIL_VERIFICATION: "required", SIGN_IN_BY_MAIL: "on" }), []);
});

test("a relay needs a sender", () => {
  assert.deepEqual(faultsOf({ SMTP_URL: "smtp://localhost" }), [
    "MAIL_FROM must be set where SMTP_URL is: write MAIL_FROM=accounts@example.com.",
  ]);
  assert.deepEqual(faultsOf({ MAIL_FROM: "accounts@example.com" }), []);
});
