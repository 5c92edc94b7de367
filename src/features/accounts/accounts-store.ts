import { sql } from "kysely";
import type { Role } from "../../contract/permissions.ts";
import type { Platform } from "../../platform/platform.ts";
import type { AccountRow, NewAccountRow } from "../../platform/database/tables.ts";
import { deleteWords, insertWords } from "./account-search-store.ts";

type Db = Pick<Platform, "db">;

/** Call it in a transaction, as all that writes accounts: the words by which they are found are kept with them. */
export async function insertAccount({ db }: Db, account: NewAccountRow): Promise<AccountRow> {
  const row = await db.insertInto("accounts").values(account).returningAll().executeTakeFirstOrThrow();
  await insertWords({ db }, row);
  return row;
}

/** `undefined` when the address has an account; the transaction goes on. */
export async function insertAccountIfFree({ db }: Db, account: NewAccountRow): Promise<AccountRow | undefined> {
  return db
    .insertInto("accounts")
    .values(account)
    .onConflict((conflict) => conflict.column("email_canonical").doNothing())
    .returningAll()
    .executeTakeFirst();
}

export async function findAccountById({ db }: Db, id: number): Promise<AccountRow | undefined> {
  return db.selectFrom("accounts").selectAll().where("id", "=", id).executeTakeFirst();
}

export async function findAccountByEmail({ db }: Db, emailCanonical: string): Promise<AccountRow | undefined> {
  return db.selectFrom("accounts").selectAll().where("email_canonical", "=", emailCanonical).executeTakeFirst();
}

export type AccountChanges = {
  display_name?: string | null;
  locale?: string | null;
  role?: Role;
  disabled?: 0 | 1;
  password_change_required?: 0 | 1;
};

/** `undefined` when there is no such account. */
export async function updateAccount({ db }: Db, id: number, changes: AccountChanges): Promise<AccountRow | undefined> {
  if (Object.keys(changes).length === 0) return findAccountById({ db }, id);
  const isFoundOtherwise = ["email", "display_name"].some((name) => name in changes);
  const before = isFoundOtherwise ? await lockAccount({ db }, id) : undefined;
  const after = await db.updateTable("accounts").set(changes).where("id", "=", id).returningAll().executeTakeFirst();
  if (before !== undefined && after !== undefined) {
    await deleteWords({ db }, before);
    await insertWords({ db }, after);
  }
  return after;
}

/** The account as it is until this transaction changes it: an update of nothing keeps all others out of the row. */
async function lockAccount({ db }: Db, id: number): Promise<AccountRow | undefined> {
  return db
    .updateTable("accounts")
    .set({ disabled: sql.ref("disabled") })
    .where("id", "=", id)
    .returningAll()
    .executeTakeFirst();
}

export async function deleteAccountRow({ db }: Db, id: number): Promise<void> {
  const row = await db.deleteFrom("accounts").where("id", "=", id).returningAll().executeTakeFirst();
  if (row !== undefined) await deleteWords({ db }, row);
}

/**
 * Whether somebody else can still administer; a throw-away account is nobody to rely on. Call it in the transaction
 * that takes one administrator away.
 */
export async function hasOtherAdministrator({ db }: Db, id: number): Promise<boolean> {
  const other = await db
    .selectFrom("accounts")
    .select("id")
    .where("role", "=", "admin")
    .where("disabled", "=", 0)
    .where("id", "!=", id)
    .where(({ selectFrom, not, exists }) =>
      not(exists(selectFrom("throwaway_accounts").select("account_id").whereRef("account_id", "=", "accounts.id"))),
    )
    .limit(1)
    .executeTakeFirst();
  return other !== undefined;
}
