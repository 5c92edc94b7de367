import { prepareQuery } from "../../platform/database/prepared-query.ts";
import type { AccountRow, SessionRow } from "../../platform/database/tables.ts";
import type { Platform } from "../../platform/platform.ts";

type Db = Pick<Platform, "db">;

export async function insertSession({ db }: Db, session: SessionRow): Promise<void> {
  await db.insertInto("sessions").values(session).execute();
}

type SessionColumns = Pick<SessionRow, "authenticated_at" | "expires_at" | "ended_at">;

export type SessionOfAccount = AccountRow & SessionColumns;

// On the path of every signed-in request: one row, one statement, compiled once.
const sessionOfAccount = prepareQuery((db, sessionId: string) =>
  db
    .selectFrom("sessions")
    .innerJoin("accounts", "accounts.id", "sessions.account_id")
    .selectAll("accounts")
    .select(["sessions.authenticated_at", "sessions.expires_at", "sessions.ended_at"])
    .where("sessions.id", "=", sessionId),
);

/** A session, alive or not, with its account as it is now. */
export async function findSessionOfAccount({ db }: Db, sessionId: string): Promise<SessionOfAccount | undefined> {
  const [row] = await sessionOfAccount(db, sessionId);
  return row;
}

export async function setAuthenticatedAt({ db }: Db, sessionId: string, at: number): Promise<void> {
  await db.updateTable("sessions").set({ authenticated_at: at, last_used_at: at }).where("id", "=", sessionId).execute();
}

/** Ends the living sessions of an account, but for one. Returns how many. */
export async function endLivingSessions(
  { db }: Db,
  accountId: number,
  end: { readonly at: number; readonly reason: string; readonly exceptSessionId: string | undefined },
): Promise<number> {
  let update = db
    .updateTable("sessions")
    .set({ ended_at: end.at, end_reason: end.reason })
    .where("account_id", "=", accountId)
    .where("ended_at", "is", null);
  if (end.exceptSessionId !== undefined) update = update.where("id", "!=", end.exceptSessionId);
  const { numUpdatedRows } = await update.executeTakeFirstOrThrow();
  return Number(numUpdatedRows);
}
