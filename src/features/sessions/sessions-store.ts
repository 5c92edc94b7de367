import { type Awaitable, whenThere } from "../../platform/awaitable.ts";
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
const sessionOfAccount = prepareQuery(
  (db, sessionId: string) =>
    db
      .selectFrom("sessions")
      .innerJoin("accounts", "accounts.id", "sessions.account_id")
      .selectAll("accounts")
      .select(["sessions.authenticated_at", "sessions.expires_at", "sessions.ended_at"])
      .where("sessions.id", "=", sessionId),
  { isRemembered: true },
);

/** A session, alive or not, with its account as it is now. */
export function findSessionOfAccount({ db }: Db, sessionId: string): Awaitable<SessionOfAccount | undefined> {
  return whenThere(sessionOfAccount(db, sessionId), ([row]) => row);
}

export type RefreshFamilyRow = Pick<
  SessionRow,
  | "id"
  | "account_id"
  | "refresh_secret"
  | "refresh_generation"
  | "refreshed_at"
  | "refresh_key_tags"
  | "last_used_at"
  | "expires_at"
  | "ended_at"
>;

const refreshFamily = prepareQuery((db, sessionId: string) =>
  db
    .selectFrom("sessions")
    .select(["id", "account_id", "refresh_secret", "refresh_generation", "refreshed_at", "refresh_key_tags"])
    .select(["last_used_at", "expires_at", "ended_at"])
    .where("id", "=", sessionId),
);

/** What decides about a refresh token of this session. */
export async function findRefreshFamily({ db }: Db, sessionId: string): Promise<RefreshFamilyRow | undefined> {
  const [row] = await refreshFamily(db, sessionId);
  return row;
}

const familyWithAccount = prepareQuery((db, sessionId: string) =>
  db
    .selectFrom("sessions")
    .innerJoin("accounts", "accounts.id", "sessions.account_id")
    .selectAll("accounts")
    .select(["sessions.id as session_id", "account_id", "refresh_secret", "refresh_generation", "refreshed_at"])
    .select(["refresh_key_tags", "last_used_at", "expires_at", "ended_at"])
    .where("sessions.id", "=", sessionId),
);

/** The same, with whose session it is. */
export async function findFamilyWithAccount(
  { db }: Db,
  sessionId: string,
): Promise<{ readonly family: RefreshFamilyRow; readonly account: AccountRow } | undefined> {
  const [row] = await familyWithAccount(db, sessionId);
  return row && { family: { ...row, id: row.session_id }, account: row };
}

const rotation = prepareQuery(
  (
    db,
    id: string,
    generation: number,
    next: number,
    at: number,
    keyTags: string,
    address: string,
    userAgent: string | null,
  ) =>
    db
      .updateTable("sessions")
      .set({
        refresh_generation: next,
        refreshed_at: at,
        refresh_key_tags: keyTags,
        last_used_at: at,
        address,
        user_agent: userAgent,
      })
      .where("id", "=", id)
      .where("refresh_generation", "=", generation)
      .where("ended_at", "is", null)
      .where(({ exists, selectFrom }) =>
        exists(
          selectFrom("accounts")
            .select("id")
            .whereRef("accounts.id", "=", "sessions.account_id")
            .where("disabled", "=", 0),
        ),
      )
      .returning(({ selectFrom }) =>
        selectFrom("accounts").select("role").whereRef("accounts.id", "=", "sessions.account_id").as("role"),
      ),
);

/**
 * Uses the newest refresh token of a living session whose account is not disabled, as both are now; undefined for any
 * other. What else decides is the caller's to look at.
 */
export async function rotateRefresh(
  { db }: Db,
  { id, account_id: accountId, refresh_generation: generation }: RefreshFamilyRow,
  use: {
    readonly at: number;
    readonly keyTags: string;
    readonly address: string;
    readonly userAgent: string | null;
  },
): Promise<Pick<AccountRow, "id" | "role"> | undefined> {
  const { at, keyTags, address, userAgent } = use;
  const [rotated] = await rotation(db, id, generation, generation + 1, at, keyTags, address, userAgent);
  return rotated?.role ? { id: accountId, role: rotated.role } : undefined;
}

export async function hasAccount({ db }: Db, id: number): Promise<boolean> {
  const found = await db.selectFrom("accounts").select("id").where("id", "=", id).executeTakeFirst();
  return found !== undefined;
}

/** Ends a living session. `false` when it had ended, or never was this account's if one is named. */
export async function endSession(
  { db }: Db,
  sessionId: string,
  end: { readonly at: number; readonly reason: string; readonly accountId?: number },
): Promise<boolean> {
  let update = db
    .updateTable("sessions")
    .set({ ended_at: end.at, end_reason: end.reason })
    .where("id", "=", sessionId)
    .where("ended_at", "is", null);
  if (end.accountId !== undefined) update = update.where("account_id", "=", end.accountId);
  const { numUpdatedRows } = await update.executeTakeFirstOrThrow();
  return numUpdatedRows === 1n;
}

export type SessionListRow = Pick<SessionRow, "id" | "created_at" | "last_used_at" | "address" | "user_agent">;

/** The living sessions of an account, last used first. */
export async function listLivingSessions(
  { db }: Db,
  accountId: number,
  alive: { readonly expiresAfter: number; readonly usedAfter: number; readonly count: number },
): Promise<SessionListRow[]> {
  return db
    .selectFrom("sessions")
    .select(["id", "created_at", "last_used_at", "address", "user_agent"])
    .where("account_id", "=", accountId)
    .where("ended_at", "is", null)
    .where("expires_at", ">", alive.expiresAfter)
    .where("last_used_at", ">", alive.usedAfter)
    .orderBy("last_used_at", "desc")
    .orderBy("created_at", "desc")
    .limit(alive.count)
    .execute();
}

export async function countLiving(
  { db }: Db,
  accountId: number,
  alive: { readonly expiresAfter: number; readonly usedAfter: number },
): Promise<number> {
  const { count } = await db
    .selectFrom("sessions")
    .select((query) => query.fn.countAll().as("count"))
    .where("account_id", "=", accountId)
    .where("ended_at", "is", null)
    .where("expires_at", ">", alive.expiresAfter)
    .where("last_used_at", ">", alive.usedAfter)
    .executeTakeFirstOrThrow();
  return Number(count);
}

/**
 * Deletes at most `count` sessions whose time in this column is before a moment. Returns how many. A column at a time:
 * each has its index, and joined by `or` they would be a walk through the whole table.
 */
export async function deleteSessionsBefore(
  { db }: Db,
  column: "expires_at" | "ended_at" | "last_used_at",
  before: number,
  count: number,
): Promise<number> {
  const { numDeletedRows } = await db
    .deleteFrom("sessions")
    .where("id", "in", (query) => query.selectFrom("sessions").select("id").where(column, "<", before).limit(count))
    .executeTakeFirstOrThrow();
  return Number(numDeletedRows);
}

/** `false` when the session is over. */
export async function setAuthenticatedAt({ db }: Db, sessionId: string, at: number): Promise<boolean> {
  const { numUpdatedRows } = await db
    .updateTable("sessions")
    .set({ authenticated_at: at, last_used_at: at })
    .where("id", "=", sessionId)
    .where("ended_at", "is", null)
    .executeTakeFirstOrThrow();
  return numUpdatedRows === 1n;
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

/** Ends the living sessions of all accounts. Returns how many. */
export async function endEveryLivingSession(
  { db }: Db,
  end: { readonly at: number; readonly reason: string },
): Promise<number> {
  const { numUpdatedRows } = await db
    .updateTable("sessions")
    .set({ ended_at: end.at, end_reason: end.reason })
    .where("ended_at", "is", null)
    .executeTakeFirstOrThrow();
  return Number(numUpdatedRows);
}
