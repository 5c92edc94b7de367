import type { Platform } from "../../platform/platform.ts";

/** Whether an account has another session, over or not. */
export async function hasOtherSession(
  { db }: Pick<Platform, "db">,
  accountId: number,
  exceptSessionId: string,
): Promise<boolean> {
  const query = db.selectFrom("sessions").select("id").where("account_id", "=", accountId);
  return (await query.where("id", "!=", exceptSessionId).limit(1).executeTakeFirst()) !== undefined;
}

/** Whether an account has another session, over or not, of this program at this address. */
export async function hasSessionFrom(
  { db }: Pick<Platform, "db">,
  accountId: number,
  place: { readonly address: string; readonly userAgent: string | null },
  exceptSessionId: string,
): Promise<boolean> {
  const found = await db
    .selectFrom("sessions")
    .select("id")
    .where("account_id", "=", accountId)
    .where("address", "=", place.address)
    .where("user_agent", place.userAgent === null ? "is" : "=", place.userAgent)
    .where("id", "!=", exceptSessionId)
    .limit(1)
    .executeTakeFirst();
  return found !== undefined;
}
