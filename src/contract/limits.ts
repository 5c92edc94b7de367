/** A quota of accepted requests in a sliding window: at no moment more than `quota` in the last `windowSeconds`. */
export type Quota = { readonly quota: number; readonly windowSeconds: number };

/**
 * What becomes of a limit while Redis, which counts for all processes, is away. `local`: each process counts by itself,
 * with the same quota; for limits that guard a secret or cost much. `open`: nobody counts; for reading.
 */
export type WithoutRedis = "local" | "open";

/** The limits a route can name. Each is a setting: `login-address` is `LIMIT_LOGIN_ADDRESS=30/60s` or `off`. */
export const limits = {
  limited: {
    quota: 5,
    windowSeconds: 60,
    per: "client_id",
    meaning: "The tutorial's example at /users/limited.",
    withoutRedis: "open",
  },
  "sign-up": {
    quota: 30,
    windowSeconds: 3600,
    per: "client address",
    meaning: "New accounts.",
    withoutRedis: "local",
  },
  "login-address": {
    quota: 30,
    windowSeconds: 60,
    per: "client address",
    meaning: "Sign-ins from one place.",
    withoutRedis: "local",
  },
  "login-account": {
    quota: 10,
    windowSeconds: 900,
    per: "account, or known client",
    meaning: "Wrong passwords for one account, known or not. Never a lasting lock-out.",
    withoutRedis: "local",
  },
  "mail-address": {
    quota: 20,
    windowSeconds: 3600,
    per: "client address, or user",
    meaning: "Requests that have mail sent, from one place.",
    withoutRedis: "local",
  },
  "mail-account": {
    quota: 5,
    windowSeconds: 3600,
    per: "purpose and account",
    meaning: "Mails for one purpose to one account, known or not.",
    withoutRedis: "local",
  },
  "mail-proof": {
    quota: 60,
    windowSeconds: 600,
    per: "client address",
    meaning: "Links and codes from mails that are tried from one place.",
    withoutRedis: "local",
  },
  refresh: {
    quota: 30,
    windowSeconds: 60,
    per: "session",
    meaning: "New access tokens for one session.",
    withoutRedis: "local",
  },
  api: {
    quota: 600,
    windowSeconds: 60,
    per: "user, else client address",
    meaning: "Everything else.",
    withoutRedis: "open",
  },
} as const satisfies Record<string, Quota & { per: string; meaning: string; withoutRedis: WithoutRedis }>;

export type LimitName = keyof typeof limits;

export const limitNames = Object.keys(limits) as LimitName[];

/** `login-address` is `LIMIT_LOGIN_ADDRESS`. */
export function limitSettingName(limit: LimitName): string {
  return `LIMIT_${limit.toUpperCase().replaceAll("-", "_")}`;
}
