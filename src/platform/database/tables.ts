import type { ColumnType, Generated, Insertable, Selectable } from "kysely";
import type { Role } from "../../contract/permissions.ts";

/** Written once, when the row is made. */
type Fixed<T> = ColumnType<T, T, never>;

/**
 * Where a mail is: waiting for its next try; being tried; taken by the relay; refused by it for good; too old to be
 * sent; twice handed over without an answer; or, on purpose, not sent at all.
 */
export type MailState = "queued" | "sending" | "delivered" | "refused" | "expired" | "uncertain" | "withheld";

/** What happens to a mail: the states it comes to, a try that is to be repeated, and what its reader does. */
export type MailStep = Exclude<MailState, "sending"> | "deferred" | "unanswered" | "opened" | "used";

/**
 * What a database is in a move: what is copied from, until the copy was verified; what was copied from, and is not to be
 * written again; what is copied to; what was copied to and verified, and is the one in use.
 */
export type MoveState = "leaving" | "left" | "arriving" | "arrived";

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
    /** The language that the person reads (BCP 47); null is not known. */
    locale: string | null;
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
  /** The outbox and what became of it: a mail is written in the transaction of what it tells. */
  mails: {
    /** 128 random bits, base64url: in its Message-ID and in its links, where it says from which mail they are. */
    id: Fixed<string>;
    kind: Fixed<string>;
    /** null: somebody asked for an address that no account has. It is kept like any other mail, and goes to nobody. */
    account_id: Fixed<number | null>;
    /** One bare address in ASCII; null with `account_id`. */
    recipient: Fixed<string | null>;
    state: MailState;
    /** Subject and bodies, encrypted under SECRET_KEY; null as soon as there is nothing more to send. */
    content_encrypted: Uint8Array | null;
    created_at: Fixed<number>;
    /** From then on it is not sent any more: what it offers is over. */
    expires_at: Fixed<number>;
    /** When it is to be tried, or, while somebody tries, when others may; null when it is done with. */
    due_at: number | null;
    /** Who is trying. */
    claim: string | null;
    tries: number;
    /** How often it was handed over without an answer: a relay may have it so many times. */
    handed_over: number;
    /** Tag of the cookie of the browser that asked for it. */
    browser_tag: Fixed<string | null>;
  };
  /** The life of a mail, step by step. */
  mail_steps: {
    id: Generated<number>;
    mail_id: Fixed<string>;
    at: Fixed<number>;
    step: Fixed<MailStep>;
    /** What the other side said. */
    words: Fixed<string | null>;
  };
  /** What a mail lets its reader do once. Nothing here is a token: they are kept as HMACs under SECRET_KEY. */
  mail_tokens: {
    id: Fixed<string>;
    purpose: Fixed<string>;
    /** null: see `mails`. Such a token can be tried like any other, and never works. */
    account_id: Fixed<number | null>;
    mail_id: Fixed<string>;
    /** The account's address when it was made; it works only while that is so. null: whatever the address is. */
    email_canonical: Fixed<string | null>;
    /** What it is about, where that is more than the account: an address, a password's hash. */
    subject: Fixed<string | null>;
    link_mac: Fixed<Uint8Array>;
    /** Of the handle that the asking client holds; null where there is no code. */
    flow_mac: Fixed<Uint8Array | null>;
    code_mac: Fixed<Uint8Array | null>;
    code_tries: number;
    code_expires_at: Fixed<number | null>;
    created_at: Fixed<number>;
    expires_at: Fixed<number>;
    /** Used, or made worthless. */
    used_at: number | null;
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
  /** The move to another database: one row at most, the same id in both; see moves.ts. */
  moves: {
    id: Fixed<string>;
    state: MoveState;
    /** The other database, without a password: a path, or a URL. */
    other: string;
    started_at: Fixed<number>;
    /** Nobody writes before; 0 where everybody may. The triggers of read-only-window.ts see to it. */
    read_only_until: number;
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
