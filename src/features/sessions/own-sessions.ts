import { inTransaction } from "../../platform/database/transaction.ts";
import type { Caller } from "../../platform/http/access.ts";
import type { RequestOrigin } from "../../platform/http/route.ts";
import type { Platform } from "../../platform/platform.ts";
import { recordEvent } from "../audit/audit.ts";
import { endSession, listLivingSessions, type SessionListRow } from "./sessions-store.ts";
import { endSessions } from "./sessions.ts";

const sessionsListedMax = 200;

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
