import assert from "node:assert/strict";
import { resolve } from "node:path";
import { test } from "node:test";
import { maskDatabaseUrl, parseDatabaseUrl, type PostgresTarget } from "./database-url.ts";

function targetOf(text: string, mode: "development" | "production" = "development"): PostgresTarget {
  const parsed = parseDatabaseUrl(text, mode);
  assert.ok("value" in parsed && parsed.value.kind === "postgres", `${text}: ${JSON.stringify(parsed)}`);
  return parsed.value.target;
}

const plain: PostgresTarget = {
  host: "db.example.com",
  port: 5432,
  database: "tollgate",
  user: "ada",
  password: undefined,
  tls: "disable",
  rootCertificatePath: undefined,
  shown: "postgres://ada@db.example.com:5432/tollgate",
};

const good: readonly { url: string; expected: Partial<PostgresTarget> }[] = [
  { url: "postgres://ada@db.example.com/tollgate", expected: {} },
  { url: "postgresql://ada@db.example.com:5432/tollgate", expected: {} },
  { url: "POSTGRES://ada@db.example.com/tollgate?", expected: {} },
  { url: "postgres://ada:hunter2@db.example.com/tollgate", expected: { password: "hunter2" } },
  {
    url: "postgres://ada:%23%2F%3F%40%3A%25%20%C3%BC@db.example.com/tollgate",
    expected: { password: "#/?@:% ü" },
  },
  {
    url: "postgres://ada@[::1]:5433/tollgate",
    expected: { host: "::1", port: 5433, shown: "postgres://ada@[::1]:5433/tollgate" },
  },
  {
    url: "postgres:///tollgate?host=/run/postgresql&user=ada",
    expected: { host: "/run/postgresql", shown: "postgres://ada@%2Frun%2Fpostgresql:5432/tollgate" },
  },
  {
    url: "postgres://ada@%2Frun%2Fpostgresql/tollgate",
    expected: { host: "/run/postgresql", shown: "postgres://ada@%2Frun%2Fpostgresql:5432/tollgate" },
  },
  {
    url: "postgres:///tollgate?user=ada",
    expected: { host: "localhost", shown: "postgres://ada@localhost:5432/tollgate" },
  },
  { url: "postgres://ada@db.example.com/tollgate?sslmode=disable", expected: {} },
  ...(["require", "verify-full"] as const).map((tls) => ({
    url: `postgres://ada@db.example.com/tollgate?sslmode=${tls}`,
    expected: { tls, shown: `${plain.shown}?sslmode=${tls}` },
  })),
  // libpq: who names an authority wants the certificate checked.
  ...["require", "verify-ca"].map((word) => ({
    url: `postgres://ada@db.example.com/tollgate?sslmode=${word}&sslrootcert=ca.pem`,
    expected: {
      tls: "verify-ca" as const,
      rootCertificatePath: resolve("ca.pem"),
      shown: `${plain.shown}?sslmode=verify-ca`,
    },
  })),
  {
    url: "postgres://ada@db.example.com/tollgate?sslrootcert=/ca.pem",
    expected: { tls: "verify-full", rootCertificatePath: "/ca.pem", shown: `${plain.shown}?sslmode=verify-full` },
  },
  {
    url: "postgres://ada@db.example.com/tollgate?sslmode=verify-full&sslrootcert=system",
    expected: { tls: "verify-full", shown: `${plain.shown}?sslmode=verify-full` },
  },
];

test("a PostgreSQL URL is read as libpq reads it", () => {
  for (const { url, expected } of good) assert.deepEqual(targetOf(url), { ...plain, ...expected }, url);
});

const bad: readonly { url: string; says: RegExp }[] = [
  { url: "postgres:ada:hunter2@db/tollgate", says: /names no user|cannot be read/ },
  { url: "postgres://", says: /names no user/ },
  { url: "postgres://db/tollgate", says: /names no user/ },
  { url: "postgres://ada@db", says: /names no database/ },
  { url: "postgres://ada@db/a/b", says: /names no database/ },
  { url: "postgres://ada:hun#ter2@db/tollgate", says: /cannot be read/ },
  { url: "postgres://ada:hun/ter2@db/tollgate", says: /cannot be read/ },
  { url: "postgres://ada:hun?ter2@db/tollgate", says: /cannot be read/ },
  { url: "postgres://ada:100%@db/tollgate", says: /has a % / },
  { url: "postgres://ada@one,two/tollgate", says: /one host|cannot be read/ },
  { url: "postgres://ada@db:99999/tollgate", says: /cannot be read/ },
  { url: "postgres://ada@db/toll%00gate", says: /one host/ },
  { url: "postgres://ada@db/tollgate?password=hunter2", says: /parameter/ },
  { url: "postgres://ada@db/tollgate?channel_binding=require", says: /parameter/ },
  { url: "postgres://ada@db/tollgate?sslmode=disable&sslmode=require", says: /twice/ },
  { url: "postgres://ada@db/tollgate?sslmode=prefer", says: /falls back/ },
  { url: "postgres://ada@db/tollgate?sslmode=verify-ca", says: /no authority/ },
  { url: `postgres://ada@db/${"x".repeat(3000)}`, says: /cannot be read/ },
];

test("what cannot be a PostgreSQL URL is refused with a cure, and nothing of it is told", () => {
  for (const { url, says } of bad) {
    const parsed = parseDatabaseUrl(url, "development");
    assert.ok("fault" in parsed, url);
    assert.match(parsed.fault, says, url);
    assert.ok(parsed.cure, url);
    assert.doesNotMatch(JSON.stringify(parsed), /hun|ter2|100%/, url);
  }
});

test("production wants to know how the way to another machine is guarded", () => {
  for (const here of ["localhost", "127.0.0.1", "[::1]", "%2Frun%2Fpostgresql"]) {
    assert.equal(targetOf(`postgres://ada@${here}/tollgate`, "production").tls, "disable");
  }
  const parsed = parseDatabaseUrl("postgres://ada@db/tollgate", "production");
  assert.ok("fault" in parsed);
  assert.match(`${parsed.fault}: ${parsed.cure}`, /must say in production.*sslmode=verify-full/);
  assert.equal(targetOf("postgres://ada@db/tollgate?sslmode=disable", "production").tls, "disable");
});

// ASVS 16.2.5 (requirement 82)
test("a password is masked, whatever else is wrong with the URL", () => {
  const masked: Readonly<Record<string, string>> = {
    "postgres://ada:hunter2@db:5432/tollgate?sslmode=require":
      "postgres://ada:********@db:5432/tollgate?sslmode=require",
    "postgres://ada:hunt@er#2@db/tollgate": "postgres://ada:********@db/tollgate",
    "postgres://ada:hunt:er/2@db/tollgate": "postgres://ada:********@db/tollgate",
    "postgres://:hunter2@db/tollgate": "postgres://:********@db/tollgate",
    "postgres:///tollgate?user=ada&password=hunter2&host=db": "postgres:///tollgate?user=ada&password=********&host=db",
    "postgres://ada@db:5432/tollgate": "postgres://ada@db:5432/tollgate",
    "sqlite:/data/a:b@c.db": "sqlite:/data/a:b@c.db",
  };
  for (const [text, shown] of Object.entries(masked)) assert.equal(maskDatabaseUrl(text), shown);
});
