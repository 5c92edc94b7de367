import type { AccountRow } from "../../platform/database/tables.ts";
import type { Platform } from "../../platform/platform.ts";

type Db = Pick<Platform, "db">;

export async function findAccountById({ db }: Db, id: number): Promise<AccountRow | undefined> {
  return db.selectFrom("accounts").selectAll().where("id", "=", id).executeTakeFirst();
}

/** `false` when it was verified already. */
export async function setVerified({ db }: Db, id: number): Promise<boolean> {
  const { numUpdatedRows } = await db
    .updateTable("accounts")
    .set({ email_verified: 1 })
    .where("id", "=", id)
    .where("email_verified", "=", 0)
    .executeTakeFirstOrThrow();
  return numUpdatedRows === 1n;
}

/** Gives an account another address, shown to be its own. The unique index refuses one that another account has. */
export async function setAddress(
  { db }: Db,
  id: number,
  address: { readonly typed: string; readonly canonical: string },
): Promise<AccountRow> {
  return db
    .updateTable("accounts")
    .set({ email: address.typed, email_canonical: address.canonical, email_verified: 1 })
    .where("id", "=", id)
    .returningAll()
    .executeTakeFirstOrThrow();
}
