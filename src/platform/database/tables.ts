import type { ColumnType, Generated, Insertable, Selectable } from "kysely";
import type { Role } from "../../contract/permissions.ts";

/** Written once, when the row is made. */
type Fixed<T> = ColumnType<T, T, never>;

/** Times are milliseconds since the epoch; booleans are 0 and 1. */
export type Tables = {
  accounts: {
    /** Never used again after a deletion. */
    id: Generated<number>;
    /** As typed, for mail. */
    email: string;
    /** What must be unique. */
    email_canonical: string;
    email_verified: Generated<0 | 1>;
    /** PHC string. */
    password_hash: string;
    role: Role;
    display_name: string | null;
    disabled: Generated<0 | 1>;
    /** Its password lets nobody in until it is changed: somebody else may know it. */
    password_change_required: Generated<0 | 1>;
    created_at: Fixed<number>;
  };
  /** By which words accounts are found; see account-words.ts. Written with the account, in its transaction. */
  account_words: {
    word: Fixed<string>;
    account_id: Fixed<number>;
  };
  sessions: {
    /** 128 random bits, base64url: the `sid` of access tokens. */
    id: Fixed<string>;
    account_id: Fixed<number>;
    created_at: Fixed<number>;
    /** When a credential was last proved: decides whether the session is fresh. */
    authenticated_at: number;
    last_used_at: number;
    /** The absolute end. */
    expires_at: number;
    /** null while it lives. */
    ended_at: number | null;
    end_reason: string | null;
    address: string;
    user_agent: string | null;
    /** 256 random bits, encrypted under SECRET_KEY: what this session's refresh tokens are derived from. */
    refresh_secret: Fixed<Uint8Array>;
    /** The number of the newest refresh token; it has not been used. */
    refresh_generation: number;
    /** When the one before it was used. */
    refreshed_at: number | null;
    /** By which Idempotency-Keys those of the last minute were used: their tags, the newest first, "-" for none. */
    refresh_key_tags: string;
  };
  signing_keys: {
    /** The `kid`. */
    id: Fixed<string>;
    algorithm: Fixed<"ES256" | "EdDSA">;
    /** JSON of the public JWK. */
    public_jwk: Fixed<string>;
    /** PKCS #8, encrypted under SECRET_KEY. */
    private_key_encrypted: Fixed<Uint8Array>;
    created_at: Fixed<number>;
    /** From then on it signs; before, it is only published, so that every verifier knows it in time. */
    signs_at: Fixed<number>;
    /** From then on its tokens are refused; null while no newer key has taken over. */
    retires_at: number | null;
  };
  /** How many tokens of a key were seen, by the hour: tells when it is safe to forget. */
  key_usage: {
    key_id: Fixed<string>;
    /** Hours since the epoch. */
    hour: Fixed<number>;
    tokens_seen: number;
    last_seen_at: number;
  };
  /** How often things happened, over all processes: what the console draws. */
  activity: {
    /** How long the time is that is counted: 1 or 15. */
    minutes: Fixed<1 | 15>;
    starts_at: Fixed<number>;
    /** See overview/activity.ts. */
    name: Fixed<string>;
    count: number;
  };
  /** Answers to requests with an Idempotency-Key, kept for a day. */
  idempotent_answers: {
    /** Tag of who asked, where and with which key. */
    id: Fixed<string>;
    /** Tag of the body: the same key with another body is a mistake. */
    request_tag: Fixed<string>;
    /** The answer, encrypted under SECRET_KEY: it may hold tokens. */
    answer_encrypted: Fixed<Uint8Array>;
    created_at: Fixed<number>;
  };
  /** The audit log. Rows outlive the accounts they speak of. */
  events: {
    id: Generated<number>;
    at: Fixed<number>;
    type: Fixed<string>;
    /** Who did it; null is the command line. */
    actor_id: Fixed<number | null>;
    /** To whom. */
    account_id: Fixed<number | null>;
    request_id: Fixed<string | null>;
    address: Fixed<string | null>;
    /** JSON. */
    payload: Fixed<string>;
  };
  /** Accounts made for trying out, in development: they go by themselves. */
  throwaway_accounts: {
    account_id: Fixed<number>;
    /** In real time, wherever the turnable clock stands. */
    created_at: Fixed<number>;
  };
  /** Which migrations have run. */
  migrations: {
    name: Fixed<string>;
    applied_at: Fixed<number>;
  };
};

export type AccountRow = Selectable<Tables["accounts"]>;
export type NewAccountRow = Insertable<Tables["accounts"]>;
export type SessionRow = Selectable<Tables["sessions"]>;
