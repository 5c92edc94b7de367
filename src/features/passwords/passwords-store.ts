import type { AccountRow } from "../../platform/database/tables.ts";
import type { Platform } from "../../platform/platform.ts";

type Db = Pick<Platform, "db">;

/** The account, if its hash is still this one. */
export async function findAccountWithHash(
  { db }: Db,
  id: number,
  passwordHash: string,
): Promise<AccountRow | undefined> {
  return db
    .selectFrom("accounts")
    .selectAll()
    .where("id", "=", id)
    .where("password_hash", "=", passwordHash)
    .executeTakeFirst();
}

/** Replaces a hash only if it is still the one that was checked: two changes at once cannot both win. */
export async function replacePasswordHash({ db }: Db, id: number, from: string, to: string): Promise<boolean> {
  const { numUpdatedRows } = await db
    .updateTable("accounts")
    .set({ password_hash: to })
    .where("id", "=", id)
    .where("password_hash", "=", from)
    .executeTakeFirstOrThrow();
  return numUpdatedRows === 1n;
}

export async function waivePasswordChange({ db }: Db, id: number): Promise<void> {
  await db.updateTable("accounts").set({ password_change_required: 0 }).where("id", "=", id).execute();
}

/** Replaces a hash, whatever it is. */
export async function setPasswordHash({ db }: Db, id: number, passwordHash: string): Promise<void> {
  await db
    .updateTable("accounts")
    .set({ password_hash: passwordHash, password_change_required: 0 })
    .where("id", "=", id)
    .execute();
}
