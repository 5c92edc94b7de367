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
    created_at: Fixed<number>;
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
  /** Which migrations have run. */
  migrations: {
    name: Fixed<string>;
    applied_at: Fixed<number>;
  };
};

export type AccountRow = Selectable<Tables["accounts"]>;
export type NewAccountRow = Insertable<Tables["accounts"]>;
export type SessionRow = Selectable<Tables["sessions"]>;
