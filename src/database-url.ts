import { isIP } from "node:net";
import { resolve } from "node:path";
import type { Mode } from "./setting.ts";
import type { Fault, Parsed } from "./setting-parsers.ts";

export type DatabaseUrl =
  | { readonly kind: "sqlite"; readonly path: string }
  | { readonly kind: "sqlite-memory" }
  | { readonly kind: "postgres"; readonly target: PostgresTarget };

/** The words of libpq, in its meaning: https://www.postgresql.org/docs/current/libpq-ssl.html. */
export const tlsModes = ["disable", "require", "verify-ca", "verify-full"] as const;
export type TlsMode = (typeof tlsModes)[number];

export type PostgresTarget = {
  /** A name, an address, or the directory of a Unix socket, which begins with a slash. */
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
  readonly password: string | undefined;
  readonly tls: TlsMode;
  /** The file of the certificate authority that must have signed the server's certificate; else Node.js's own list. */
  readonly rootCertificatePath: string | undefined;
  /** The URL as it may be told: without the password. */
  readonly shown: string;
};

const postgresScheme = /^postgres(?:ql)?:/i;
const urlLengthMax = 2048;
const knownParameters: ReadonlySet<string> = new Set(["host", "user", "sslmode", "sslrootcert"]);

const writeUrl =
  "write DATABASE_URL=sqlite:./data/tollgate.db, or postgres://user:password@host:5432/database, or leave it out";

/** `sqlite:PATH`, made absolute, `sqlite::memory:` or `postgres://user:password@host:port/database`. */
export function parseDatabaseUrl(text: string, mode: Mode): Parsed<DatabaseUrl> {
  if (postgresScheme.test(text)) return parsePostgresUrl(text, mode);
  const path = /^sqlite:(?!\/\/)(.+)$/.exec(text)?.[1];
  if (path === ":memory:") return { value: { kind: "sqlite-memory" } };
  if (path === undefined || path.endsWith("/")) {
    return { fault: "must be sqlite: and the path of a file, sqlite::memory: or a postgres:// URL", cure: writeUrl };
  }
  return { value: { kind: "sqlite", path: resolve(path) } };
}

/** The value with its password masked, whatever else is wrong with it. */
export function maskDatabaseUrl(text: string): string {
  if (!postgresScheme.test(text)) return text;
  return text.replace(/^([^:]*:\/*[^/?#@:]*):.*@/, "$1:********@").replaceAll(/(password=)[^&]*/gi, "$1********");
}

function parsePostgresUrl(text: string, mode: Mode): Parsed<DatabaseUrl> {
  const url = text.length <= urlLengthMax && URL.canParse(text) ? new URL(text) : undefined;
  // A "#", "/" or "?" in a password that is not written as %23, %2F or %3F ends the host's part of the URL too early.
  if (url === undefined || url.hash !== "" || url.pathname.includes("@") || url.search.includes("@")) {
    return fault("cannot be read as a URL", "write % # / ? @ and : in its password as %25 %23 %2F %3F %40 and %3A");
  }
  const parameters = Object.fromEntries(url.searchParams);
  const unknown = Object.keys(parameters).find((name) => !knownParameters.has(name));
  if (unknown !== undefined || url.searchParams.size !== Object.keys(parameters).length) {
    return fault(
      "has a parameter that this version does not know, or has one twice",
      `leave out all but ${[...knownParameters].join(", ")}`,
    );
  }
  const names = namesOf(url, parameters);
  if ("fault" in names) return names;
  const tls = tlsOf(parameters, names.host, mode);
  if ("fault" in tls) return tls;
  const shown = shownOf(names, tls);
  return { value: { kind: "postgres", target: { ...names, ...tls, shown } } };
}

function fault(what: string, cure: string): Fault {
  return { fault: what, cure };
}

type Parameters = Readonly<Record<string, string>>;
type Names = Pick<PostgresTarget, "host" | "port" | "database" | "user" | "password">;

function namesOf(url: URL, parameters: Parameters): Names | Fault {
  const [userOfUrl, password, hostOfUrl, database] = [
    url.username,
    url.password,
    url.hostname.replace(/^\[(.*)\]$/, "$1"),
    url.pathname.slice(1),
  ].map(decoded);
  const host = parameters["host"] ?? (hostOfUrl || "localhost");
  const user = parameters["user"] ?? userOfUrl;
  if (userOfUrl === undefined || password === undefined || hostOfUrl === undefined || database === undefined) {
    return fault("has a % that is not followed by two hexadecimal digits", "write % as %25");
  }
  if (!user) return fault("names no user", "write postgres://user:password@host:5432/database");
  if (!database || database.includes("/")) {
    return fault("names no database", "write postgres://user:password@host:5432/database");
  }
  const isHost = host.startsWith("/") || isIP(host) > 0 || /^[\w-]+(?:\.[\w-]+)*\.?$/.test(host);
  if (!isHost || [host, user, password, database].some((part) => part?.includes("\0"))) {
    return fault("must name one host: a name, an address or the directory of a socket", "write one host");
  }
  return { host, port: Number(url.port || 5432), database, user, password: password || undefined };
}

/** undefined for a broken escape. */
function decoded(part: string): string | undefined {
  try {
    return decodeURIComponent(part);
  } catch {
    return undefined;
  }
}

type Tls = Pick<PostgresTarget, "tls" | "rootCertificatePath">;

/**
 * Nothing is guessed and nothing falls back: "prefer" of libpq speaks plain text with whoever is in between. Where the
 * way to the server leaves the machine, production wants it said.
 */
function tlsOf({ sslmode, sslrootcert }: Parameters, host: string, mode: Mode): Tls | Fault {
  const rootCertificatePath = sslrootcert === undefined || sslrootcert === "system" ? undefined : resolve(sslrootcert);
  if (sslmode === undefined) {
    if (sslrootcert !== undefined) return { tls: "verify-full", rootCertificatePath };
    if (mode === "development" || isThisMachine(host)) return { tls: "disable", rootCertificatePath };
    return fault(
      "must say in production how the way to the database is guarded",
      "add ?sslmode=verify-full, or ?sslmode=disable on a network that is yours alone",
    );
  }
  const tls = tlsModes.find((known) => known === sslmode);
  if (tls === undefined) {
    return fault("has an sslmode that is none or that falls back", `use sslmode=${tlsModes.join(", ")}`);
  }
  if (tls === "verify-ca" && rootCertificatePath === undefined) {
    return fault("says verify-ca and no authority", "add sslrootcert=PATH, or use sslmode=verify-full");
  }
  // As libpq does: who names an authority wants the certificate checked.
  return { tls: tls === "require" && rootCertificatePath !== undefined ? "verify-ca" : tls, rootCertificatePath };
}

function isThisMachine(host: string): boolean {
  return (
    host.startsWith("/") || host === "localhost" || host === "::1" || (isIP(host) === 4 && host.startsWith("127."))
  );
}

function shownOf({ user, host, port, database }: Names, { tls }: Tls): string {
  const place = host.startsWith("/") ? encodeURIComponent(host) : isIP(host) === 6 ? `[${host}]` : host;
  const name = `postgres://${encodeURIComponent(user)}@${place}:${port}/${encodeURIComponent(database)}`;
  return tls === "disable" ? name : `${name}?sslmode=${tls}`;
}
