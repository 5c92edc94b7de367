import { maskDatabaseUrl, parseDatabaseUrl } from "./database-url.ts";
import { setting } from "./setting.ts";
import { parseMilliseconds, parseWholeNumber } from "./setting-parsers.ts";

/** Where the accounts are kept, and how long a request waits for it. */
export const databaseSettings = {
  database: setting({
    name: "DATABASE_URL",
    meaning:
      "Where the accounts are kept. The secret made in development lies beside the file; with PostgreSQL in ./data.",
    bounds:
      "sqlite:PATH, sqlite::memory: or postgres://user:password@host:port/database with sslmode and sslrootcert; in production sslmode must be there unless the host is this machine",
    example: "sqlite:./data/tollgate.db",
    otherwise: "sqlite:./data/tollgate.db",
    shown: maskDatabaseUrl,
    parse: (text, { mode }) => parseDatabaseUrl(text, mode),
  }),
  databasePool: setting({
    name: "DATABASE_POOL",
    meaning: "How many connections to PostgreSQL a process keeps at most. SQLite has one.",
    bounds: "1 to 500",
    example: "10",
    otherwise: "10",
    parse: (text) => parseWholeNumber(text, 1, 500),
  }),
  databaseWaitMilliseconds: setting({
    name: "DATABASE_WAIT",
    meaning:
      "How long a request waits for a new connection to PostgreSQL, or while it answers nobody; then 503. In a burst it waits up to five times as long.",
    bounds: "50ms to 30s",
    example: "1s",
    otherwise: "1s",
    parse: (text) => parseMilliseconds(text, "50ms", "30s"),
  }),
  databaseTimeoutMilliseconds: setting({
    name: "DATABASE_TIMEOUT",
    meaning: "How long PostgreSQL may take for one statement, waiting for locks included; then 503.",
    bounds: "100ms to 60s",
    example: "2s",
    otherwise: "2s",
    parse: (text) => parseMilliseconds(text, "100ms", "60s"),
  }),
};
