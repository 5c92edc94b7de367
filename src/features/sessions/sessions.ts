import { Type, type Static } from "typebox";
import type { Events } from "../../contract/events.ts";
import type { Platform } from "../../platform/platform.ts";
import type { AccountRow } from "../../platform/database/tables.ts";
import type { Authenticate, Caller } from "../../platform/http/access.ts";
import type { RequestOrigin } from "../../platform/http/route.ts";
import { recordEvent } from "../audit/audit.ts";
import { createAccessTokens } from "./access-tokens.ts";
import { endLivingSessions, findSessionOfAccount, insertSession, setAuthenticatedAt } from "./sessions-store.ts";
import { openKeyring, type Keyring } from "./signing-keys.ts";

/** What a client gets when it has signed in (RFC 6749 §5.1). */
export const TokensBody = Type.Object(
  { token: Type.String(), token_type: Type.Literal("Bearer"), expires_in: Type.Integer() },
  { title: "Tokens" },
);
export type TokensBody = Static<typeof TokensBody>;

export type Sessions = {
  /** Who a token speaks for, judged by the session and the account as they are now. */
  readonly authenticate: Authenticate;
  readonly issueTokens: (account: AccountRow, sessionId: string) => Promise<TokensBody>;
  readonly publicJwks: Keyring["publicJwks"];
};

/** Loads the signing keys, making the first one on the first start. */
export async function openSessions(platform: Platform): Promise<Sessions> {
  const { config, clock, secrets } = platform;
  const keyring = await openKeyring(platform);
  const accessTokens = createAccessTokens({
    keyring,
    clock,
    secrets,
    issuer: config.publicUrl,
    audience: config.publicUrl,
    lifetimeSeconds: config.accessTokenLifetimeSeconds,
  });
  return {
    publicJwks: () => keyring.publicJwks(),
    issueTokens: async ({ id, role }, sessionId) => {
      const { token, expiresInSeconds } = await accessTokens.issue({ accountId: id, sessionId, role });
      return { token, token_type: "Bearer", expires_in: expiresInSeconds };
    },
    authenticate: async (token) => {
      const claims = await accessTokens.verify(token);
      if ("refused" in claims) return { refused: claims.refused === "expired" ? "token-expired" : "token-invalid" };
      return identify(platform, claims.sessionId, claims.accountId);
    },
  };
}

// One answer for a session that ended, an account disabled and an account deleted: the token is over, and who holds
// it may not learn more about the account.
async function identify(
  platform: Pick<Platform, "db" | "clock">,
  sessionId: string,
  accountId: number,
): Promise<Caller | { refused: "session-ended" }> {
  const session = await findSessionOfAccount(platform, sessionId);
  const isAlive =
    session !== undefined &&
    session.id === accountId &&
    session.ended_at === null &&
    platform.clock.now() < session.expires_at &&
    session.disabled === 0;
  return isAlive ? { account: session, sessionId, authenticatedAt: session.authenticated_at } : { refused: "session-ended" };
}

/** Starts a session: always a new one, whatever the client held before (no fixation). Call it in a transaction. */
export async function startSession(
  tx: Pick<Platform, "db" | "clock" | "secrets" | "config">,
  account: AccountRow,
  method: Events["session/started"]["method"],
  origin: RequestOrigin,
): Promise<string> {
  const now = tx.clock.now();
  const id = tx.secrets.randomText(16);
  await insertSession(tx, {
    id,
    account_id: account.id,
    created_at: now,
    authenticated_at: now,
    last_used_at: now,
    expires_at: now + tx.config.sessionLifetimeSeconds * 1000,
    ended_at: null,
    end_reason: null,
    address: origin.address,
    user_agent: origin.userAgent,
  });
  await recordEvent(tx, {
    type: "session/started",
    payload: { session_id: id, method },
    actorId: account.id,
    accountId: account.id,
    requestId: origin.requestId,
    address: origin.address,
  });
  return id;
}

/** The session proved a credential just now. */
export async function markReauthenticated(tx: Pick<Platform, "db" | "clock">, sessionId: string): Promise<void> {
  await setAuthenticatedAt(tx, sessionId, tx.clock.now());
}

/** Ends an account's sessions, but for one if named. The very next request with one of their tokens is refused. */
export async function endSessions(
  tx: Pick<Platform, "db" | "clock">,
  end: {
    readonly accountId: number;
    readonly reason: Events["session/ended"]["reason"];
    readonly exceptSessionId?: string;
  },
): Promise<void> {
  const count = await endLivingSessions(tx, end.accountId, {
    at: tx.clock.now(),
    reason: end.reason,
    exceptSessionId: end.exceptSessionId,
  });
  if (count > 0) await recordEvent(tx, { type: "session/ended", payload: { reason: end.reason }, accountId: end.accountId });
}
