import { Type, type Static } from "typebox";
import { timestamp } from "../../platform/clock.ts";
import { inTransaction } from "../../platform/database/transaction.ts";
import type { Caller } from "../../platform/http/access.ts";
import type { RequestOrigin } from "../../platform/http/route.ts";
import type { Platform } from "../../platform/platform.ts";
import { recordEvent } from "../audit/audit.ts";
import { endSession, listLivingSessions, type SessionListRow } from "./sessions-store.ts";
import { endSessions } from "./sessions.ts";

const sessionsListedMax = 200;

const SessionBody = Type.Object(
  {
    id: Type.String(),
    created_at: Type.String({ format: "date-time" }),
    last_used_at: Type.String({ format: "date-time" }),
    address: Type.String(),
    user_agent: Type.Union([Type.String(), Type.Null()]),
    current: Type.Boolean({ description: "The session that is asking." }),
  },
  { title: "Session" },
);

export const SessionListBody = Type.Object({ items: Type.Array(SessionBody) }, { title: "SessionList" });

/** A session as its owner and administrators see it. */
export function sessionBody(session: SessionListRow, currentSessionId: string): Static<typeof SessionBody> {
  return {
    id: session.id,
    created_at: timestamp(session.created_at),
    last_used_at: timestamp(session.last_used_at),
    address: session.address,
    user_agent: session.user_agent,
    current: session.id === currentSessionId,
  };
}

/** The sessions of an account that still live, last used first; at most 200. */
export async function listSessions(
  platform: Pick<Platform, "db" | "clock" | "config">,
  accountId: number,
): Promise<SessionListRow[]> {
  const now = platform.clock.now();
  return listLivingSessions(platform, accountId, {
    expiresAfter: now,
    usedAfter: now - platform.config.sessionIdleLifetimeSeconds * 1000,
    count: sessionsListedMax,
  });
}

/**
 * Ends one session of the caller, with all its tokens: the very next request with one is refused.
 * `false` when it was over, or is somebody else's.
 */
export async function endOwnSession(
  platform: Platform,
  caller: Caller,
  sessionId: string,
  reason: "signed-out" | "ended-by-owner",
  { requestId, address }: RequestOrigin,
): Promise<boolean> {
  const accountId = caller.account.id;
  return inTransaction(platform, async (tx) => {
    const wasAlive = await endSession(tx, sessionId, { at: tx.clock.now(), reason, accountId });
    if (wasAlive) {
      const payload = { reason, session_id: sessionId };
      await recordEvent(tx, { type: "session/ended", payload, actorId: accountId, accountId, requestId, address });
    }
    return wasAlive;
  });
}

/** Ends all sessions of the caller but this one. */
export async function endOtherSessions(
  platform: Platform,
  caller: Caller,
  { requestId, address }: RequestOrigin,
): Promise<void> {
  const accountId = caller.account.id;
  const actor = { actorId: accountId, requestId, address };
  const end = { accountId, reason: "ended-by-owner", exceptSessionId: caller.sessionId, actor } as const;
  await inTransaction(platform, (tx) => endSessions(tx, end));
}
