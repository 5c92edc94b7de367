import type { Kysely } from "kysely";
import type { Logger } from "pino";
import type { Config } from "../config.ts";
import type { Clock } from "./clock.ts";
import type { Tables } from "./database/tables.ts";
import type { PasswordHasher } from "./hashing/password-hasher.ts";
import type { DecisionLog } from "./http/decisions.ts";
import type { RateLimiter } from "./rate-limit/rate-limiter.ts";
import type { Secrets } from "./secrets.ts";

/** Everything the server stands on. A function takes the part it touches: `Pick<Platform, "db" | "clock">`. */
export type Platform = {
  readonly config: Config;
  readonly db: Kysely<Tables>;
  readonly clock: Clock;
  readonly secrets: Secrets;
  readonly passwordHasher: PasswordHasher;
  readonly rateLimiter: RateLimiter;
  readonly decisions: DecisionLog;
  readonly log: Logger;
};
