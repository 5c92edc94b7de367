import { Type } from "typebox";
import { Problem } from "../../contract/problems.ts";
import { inTransaction } from "../../platform/database/transaction.ts";
import { route, type AnyRoute } from "../../platform/http/route.ts";
import type { Platform } from "../../platform/platform.ts";
import { listSessions, SessionListBody, sessionBody } from "./own-sessions.ts";
import { endSessions } from "./sessions.ts";
import { hasAccount } from "./sessions-store.ts";

const tag = "Administration";
const url = "/admin/users/:id/sessions";
const params = Type.Object({ id: Type.Integer({ description: "The number of the account." }) });

/** Anybody's sessions, for administrators. */
export function accountSessionRoutes(platform: Platform): readonly AnyRoute[] {
  return [
    route({
      method: "GET",
      url,
      tag,
      summary: "Where is an account signed in?",
      access: "users:read",
      limit: "api",
      params,
      success: {
        status: 200,
        description: "The living sessions, last used first; at most 200.",
        schema: SessionListBody,
      },
      problems: ["user-not-found"],
      handle: async ({ params: { id }, caller }) => {
        if (!(await hasAccount(platform, id))) throw new Problem("user-not-found");
        const sessions = await listSessions(platform, id);
        return { items: sessions.map((session) => sessionBody(session, caller.sessionId)) };
      },
    }),
    route({
      method: "DELETE",
      url,
      tag,
      summary: "Sign an account out everywhere",
      description: "All its sessions end at once, with their tokens; one's own too, if it is one's own account.",
      access: "users:write",
      limit: "api",
      params,
      success: { status: 204, description: "No session of the account is alive." },
      problems: ["user-not-found"],
      handle: async ({ params: { id: accountId }, caller, origin: { requestId, address } }) =>
        inTransaction(platform, async (tx) => {
          if (!(await hasAccount(tx, accountId))) throw new Problem("user-not-found");
          const actor = { actorId: caller.account.id, requestId, address };
          await endSessions(tx, { accountId, reason: "ended-by-administrator", actor });
        }),
    }),
  ];
}
