import type { LimitName, Quota } from "./contract/limits.ts";

/** SKELETON: the shape is fixed, the reading is to be written. */
export type Config = {
  readonly mode: "development" | "production";
  readonly host: string;
  readonly port: number;
  /** Origin of this server as clients see it, without a trailing slash: issuer of tokens, base of problem types. */
  readonly publicUrl: string;
  readonly database: { readonly kind: "sqlite"; readonly path: string } | { readonly kind: "sqlite-memory" };
  /** Where generated secrets and the control socket live: beside the database; undefined for a database in memory. */
  readonly dataDirectory: string | undefined;
  /** undefined in development when none is given: one is then made and kept in the data directory. */
  readonly secretKey: string | undefined;
  readonly tokenAlgorithm: "ES256" | "EdDSA" | "HS256";
  readonly accessTokenLifetimeSeconds: number;
  readonly sessionLifetimeSeconds: number;
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
  /** undefined is off. */
  readonly limits: Readonly<Record<LimitName, Quota | undefined>>;
  /** Addresses or CIDRs of the proxies whose forwarding headers are believed. */
  readonly trustedProxies: readonly string[];
  readonly corsOrigins: readonly string[];
  readonly logLevel: "fatal" | "error" | "warn" | "info" | "debug" | "trace" | "silent";
};
