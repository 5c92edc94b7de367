import type { IncomingHttpHeaders } from "node:http";
import type { FastifyReply } from "fastify";
import { Type, type Static } from "typebox";
import type { EndReason, Events } from "../../contract/events.ts";
import { Problem } from "../../contract/problems.ts";
import { type Awaitable, whenThere } from "../../platform/awaitable.ts";
import type { Platform } from "../../platform/platform.ts";
import type { AccountRow, SessionRow } from "../../platform/database/tables.ts";
import type { Authenticate, Caller } from "../../platform/http/access.ts";
import { createOwnCookie } from "../../platform/http/own-cookies.ts";
import type { RequestOrigin } from "../../platform/http/route.ts";
import type { TakenLimit } from "../../platform/rate-limit/take-limit.ts";
import { recordEvent, type SecurityEvent } from "../audit/audit.ts";
import { createAccessTokens, type AccessTokens } from "./access-tokens.ts";
import { makeDeviceToken, readDeviceToken } from "./device-tokens.ts";
import { createKeyUsage } from "./key-usage.ts";
import { requireOwnPage } from "./own-page.ts";
import { makeRefreshSecret, readRefreshToken, refreshTokensOf } from "./refresh-tokens.ts";
import { refresh, refreshCountOf, type Refreshed, refreshExpiresIn } from "./refresh.ts";
import {
  countLiving,
  deleteSessionsBefore,
  endLivingSessions,
  findSessionOfAccount,
  insertSession,
  setAuthenticatedAt,
} from "./sessions-store.ts";
import { keyReloadSeconds, openKeyring, type Keyring } from "./signing-keys.ts";

/** What a client gets when it has signed in (RFC 6749 §5.1). */
export const TokensBody = Type.Object(
  {
    token: Type.String({ description: "The access token." }),
    token_type: Type.Literal("Bearer"),
    expires_in: Type.Integer({ description: "Seconds until the access token expires." }),
    refresh_token: Type.Optional(Type.String({ description: "Not there when it was delivered as a cookie." })),
    refresh_expires_in: Type.Integer({ description: "Seconds until the refresh token expires if it is not used." }),
    session_id: Type.String({ description: "The session that these tokens are of." }),
    refresh_count: Type.Integer({
      description:
        "How often it was refreshed. Of two answers for one session, the one with the greater count is newer.",
    }),
    verification_flow: Type.Optional(
      Type.String({
        description: "At sign-up, where the address is to be confirmed: brings the code that was mailed to it.",
      }),
    ),
    device_token: Type.Optional(
      Type.String({
        description:
          "At sign-up and sign-in. Send it with the next sign-in: wrong passwords of strangers then never lock you out.",
      }),
    ),
  },
  { title: "Tokens" },
);
export type TokensBody = Static<typeof TokensBody>;

/** How the refresh token comes back: in the body, or in a cookie that no script of a page can read. */
export const Delivery = Type.Enum(["body", "cookie"]);
export type Delivery = Static<typeof Delivery>;

/** A browser is remembered for a year. */
const deviceCookieSeconds = 365 * 86_400;

export type Sessions = {
  /** Who a token speaks for, judged by the session and the account as they are now. */
  readonly authenticate: Authenticate;
  /** Tokens for a session that was just started. */
  readonly issueTokens: (account: AccountRow, session: StartedSession) => Promise<TokensBody>;
  /** Tokens for a refresh token; see refresh.ts. */
  readonly refresh: (
    presented: { readonly token: string; readonly idempotencyKey: string | undefined },
    origin: RequestOrigin,
  ) => Promise<{ readonly tokens: TokensBody; readonly counted: TakenLimit | undefined }>;
  /** Shows that a client has signed in to this account before; see device-tokens.ts. */
  readonly makeDeviceToken: (accountId: number) => string;
  readonly readDeviceToken: (token: string | undefined, accountId: number) => string | undefined;
  /** The tokens that cookies bring; the refresh token only to pages of our own (Problem `foreign-origin`). */
  readonly refreshCookie: (headers: IncomingHttpHeaders) => string | undefined;
  readonly deviceCookie: (headers: IncomingHttpHeaders) => string | undefined;
  /** Once this session is over. Another session's cookie stays: somebody else signed in with this browser since. */
  readonly clearRefreshCookie: (sessionId: string, headers: IncomingHttpHeaders, reply: FastifyReply) => void;
  /** The tokens as the client asked for them: with `cookie` the refresh token travels in no body. */
  readonly deliver: (tokens: TokensBody, delivery: Delivery | undefined, reply: FastifyReply) => TokensBody;
  /** The public keys, and for how many seconds they may be kept. */
  readonly publicJwks: () => Promise<ReturnType<Keyring["publicJwks"]> & { readonly maxAgeSeconds: number }>;
  /** Reads the signing keys anew; call it at least every `keyReloadSeconds`. */
  readonly reloadKeys: () => Promise<void>;
  readonly keyReloadSeconds: number;
  /** Writes which keys' tokens were seen. */
  readonly flushKeyUsage: () => Promise<void>;
};

/** Loads the signing keys, making the first one on the first start. */
export async function openSessions(platform: Platform): Promise<Sessions> {
  const { config, clock, secrets } = platform;
  const keyring = await openKeyring(platform);
  const usage = createKeyUsage(platform);
  const accessTokens = createAccessTokens({
    keyring,
    clock,
    secrets,
    issuer: config.publicUrl,
    audience: config.publicUrl,
    lifetimeSeconds: config.accessTokenLifetimeSeconds,
    onGenuine: usage.saw,
  });
  const refreshCookie = createOwnCookie(config.publicUrl, "refresh", "Strict");
  const deviceCookie = createOwnCookie(config.publicUrl, "device", "Strict");
  return {
    makeDeviceToken: (accountId) => makeDeviceToken(platform, accountId),
    readDeviceToken: (token, accountId) => readDeviceToken(platform, token, accountId),
    refreshCookie: (headers) => {
      const token = refreshCookie.read(headers);
      if (token !== undefined) requireOwnPage(headers, config.publicUrl);
      return token;
    },
    deviceCookie: (headers) => deviceCookie.read(headers),
    clearRefreshCookie: (sessionId, headers, reply) => {
      const named = readRefreshToken(refreshCookie.read(headers) ?? "");
      if (named === undefined || named.sessionId === sessionId) reply.header("set-cookie", refreshCookie.clear());
    },
    deliver: (all, delivery, reply) => {
      if (delivery !== "cookie") return all;
      const { refresh_token: refreshToken = "", device_token: deviceToken, ...tokens } = all;
      reply.header("set-cookie", refreshCookie.set(refreshToken, tokens.refresh_expires_in));
      if (deviceToken) reply.header("set-cookie", deviceCookie.set(deviceToken, deviceCookieSeconds));
      return tokens;
    },
    publicJwks: async () => {
      // With the database away verifiers still get what we know, for as long as it is sure to be all. Not logged: the
      // regular reading fails as well, and anybody may ask here at any rate.
      await keyring.catchUp().catch(() => undefined);
      return { ...keyring.publicJwks(), maxAgeSeconds: keyring.jwksMaxAgeSeconds() };
    },
    reloadKeys: () => keyring.reload(),
    keyReloadSeconds: keyReloadSeconds(config),
    flushKeyUsage: () => usage.flush(),
    issueTokens: async (account, session) =>
      tokensBody(accessTokens, account, {
        sessionId: session.id,
        refreshToken: refreshTokensOf(platform, session).write(session.refresh_generation),
        refreshCount: refreshCountOf(session.refresh_generation),
        refreshExpiresInSeconds: refreshExpiresIn(platform, session, session.last_used_at),
      }),
    refresh: async (presented, origin) => {
      const { account, counted, ...refreshed } = await refresh(platform, presented, origin);
      return { tokens: await tokensBody(accessTokens, account, refreshed), counted };
    },
    authenticate: (token) =>
      whenThere(accessTokens.verify(token), (claims) => {
        if ("refused" in claims) return { refused: claims.refused === "expired" ? "token-expired" : "token-invalid" };
        return identify(platform, claims.sessionId, claims.accountId);
      }),
  };
}

async function tokensBody(
  accessTokens: AccessTokens,
  { id: accountId, role }: Pick<AccountRow, "id" | "role">,
  session: Pick<Refreshed, "sessionId" | "refreshToken" | "refreshCount" | "refreshExpiresInSeconds">,
): Promise<TokensBody> {
  const { token, expiresInSeconds } = await accessTokens.issue({ accountId, sessionId: session.sessionId, role });
  return {
    token,
    token_type: "Bearer",
    expires_in: expiresInSeconds,
    refresh_token: session.refreshToken,
    refresh_expires_in: session.refreshExpiresInSeconds,
    session_id: session.sessionId,
    refresh_count: session.refreshCount,
  };
}

// One answer for a session that ended, an account disabled and an account deleted: the token is over, and who holds
// it may not learn more about the account.
function identify(
  platform: Pick<Platform, "db" | "clock">,
  sessionId: string,
  accountId: number,
): Awaitable<Caller | { readonly refused: "session-ended" }> {
  return whenThere(findSessionOfAccount(platform, sessionId), (session) => {
    const isAlive =
      session !== undefined &&
      session.id === accountId &&
      session.ended_at === null &&
      platform.clock.now() < session.expires_at &&
      session.disabled === 0;
    return isAlive
      ? { account: session, sessionId, authenticatedAt: session.authenticated_at }
      : { refused: "session-ended" as const };
  });
}

export type StartedSession = Pick<
  SessionRow,
  "id" | "refresh_secret" | "refresh_generation" | "last_used_at" | "expires_at"
>;

/** Starts a session: always a new one, whatever the client held before (no fixation). Call it in a transaction. */
export async function startSession(
  tx: Pick<Platform, "db" | "clock" | "secrets" | "config">,
  account: AccountRow,
  method: Events["session/started"]["method"],
  origin: RequestOrigin,
): Promise<StartedSession> {
  const now = tx.clock.now();
  const id = tx.secrets.randomText(16);
  const session: SessionRow = {
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
    refresh_secret: makeRefreshSecret(tx),
    refresh_generation: 1,
    refreshed_at: null,
    refresh_key_tags: "",
  };
  await insertSession(tx, session);
  await recordEvent(tx, {
    type: "session/started",
    payload: { session_id: id, method },
    actorId: account.id,
    accountId: account.id,
    requestId: origin.requestId,
    address: origin.address,
  });
  return session;
}

/**
 * The session proved a credential just now. Call it in the transaction of what the proof is for: whoever ended the
 * session while the password was being hashed ended this request with it.
 *
 * @throws Problem `session-ended`
 */
export async function markReauthenticated(tx: Pick<Platform, "db" | "clock">, sessionId: string): Promise<void> {
  if (!(await setAuthenticatedAt(tx, sessionId, tx.clock.now()))) throw new Problem("session-ended");
}

/** Ends an account's sessions, but for one if named. The very next request with one of their tokens is refused. */
export async function endSessions(
  tx: Pick<Platform, "db" | "clock">,
  end: {
    readonly accountId: number;
    readonly reason: EndReason;
    readonly exceptSessionId?: string;
    readonly actor?: Pick<SecurityEvent, "actorId" | "requestId" | "address">;
  },
): Promise<void> {
  const count = await endLivingSessions(tx, end.accountId, {
    at: tx.clock.now(),
    reason: end.reason,
    exceptSessionId: end.exceptSessionId,
  });
  if (count === 0) return;
  await recordEvent(tx, {
    type: "session/ended",
    payload: { reason: end.reason },
    accountId: end.accountId,
    ...end.actor,
  });
}

/** How many sessions of an account are alive. */
export async function countLivingSessions(
  { db, clock, config }: Pick<Platform, "db" | "clock" | "config">,
  accountId: number,
): Promise<number> {
  const now = clock.now();
  const usedAfter = now - config.sessionIdleLifetimeSeconds * 1000;
  return countLiving({ db }, accountId, { expiresAfter: now, usedAfter });
}

const purgeStep = 500;
/** An ended session is remembered so long that a late token still gets the true answer. */
const endedRemainMilliseconds = 7 * 86_400_000;

/** Deletes some sessions that are over, in short writes. Returns whether there may be more. */
export async function purgeSessions(platform: Pick<Platform, "db" | "clock" | "config">): Promise<boolean> {
  const before = platform.clock.now() - endedRemainMilliseconds;
  const idleBefore = before - platform.config.sessionIdleLifetimeSeconds * 1000;
  const counts = [
    await deleteSessionsBefore(platform, "expires_at", before, purgeStep),
    await deleteSessionsBefore(platform, "ended_at", before, purgeStep),
    await deleteSessionsBefore(platform, "last_used_at", idleBefore, purgeStep),
  ];
  return counts.includes(purgeStep);
}
