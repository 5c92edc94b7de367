import { sql, type RawBuilder } from "kysely";
import type { Role } from "../../contract/permissions.ts";
import type { Platform } from "../../platform/platform.ts";
import type { AccountRow, NewAccountRow } from "../../platform/database/tables.ts";

type Db = Pick<Platform, "db">;

export async function insertAccount({ db }: Db, account: NewAccountRow): Promise<AccountRow> {
  return db.insertInto("accounts").values(account).returningAll().executeTakeFirstOrThrow();
}

export async function findAccountById({ db }: Db, id: number): Promise<AccountRow | undefined> {
  return db.selectFrom("accounts").selectAll().where("id", "=", id).executeTakeFirst();
}

export async function findAccountByEmail({ db }: Db, emailCanonical: string): Promise<AccountRow | undefined> {
  return db.selectFrom("accounts").selectAll().where("email_canonical", "=", emailCanonical).executeTakeFirst();
}

export type AccountChanges = {
  display_name?: string | null;
  role?: Role;
  disabled?: 0 | 1;
  password_change_required?: 0 | 1;
};

/** `undefined` when there is no such account. */
export async function updateAccount({ db }: Db, id: number, changes: AccountChanges): Promise<AccountRow | undefined> {
  if (Object.keys(changes).length === 0) return findAccountById({ db }, id);
  return db.updateTable("accounts").set(changes).where("id", "=", id).returningAll().executeTakeFirst();
}

export async function deleteAccountRow({ db }: Db, id: number): Promise<void> {
  await db.deleteFrom("accounts").where("id", "=", id).execute();
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

export type AccountFilter = {
  readonly text?: string | undefined;
  readonly role?: Role | undefined;
  readonly disabled?: boolean | undefined;
};

/** At most `count` accounts after an id, in the order of their ids, whose e-mail or display name contains the text. */
export async function listAccountsAfter(
  { db }: Db,
  { text, role, disabled }: AccountFilter,
  { after, count }: { readonly after: number; readonly count: number },
): Promise<AccountRow[]> {
  let query = db.selectFrom("accounts").selectAll().where("id", ">", after).orderBy("id").limit(count);
  if (role !== undefined) query = query.where("role", "=", role);
  if (disabled !== undefined) query = query.where("disabled", "=", disabled ? 1 : 0);
  if (text !== undefined) {
    // The text is a text: its % and _ stand for themselves.
    const pattern = `%${text.toLowerCase().replaceAll(/[\\%_]/g, String.raw`\$&`)}%`;
    const contains = (column: "email" | "display_name"): RawBuilder<boolean> =>
      sql<boolean>`lower(${sql.ref(column)}) like ${pattern} escape '\\'`;
    query = query.where(({ or }) => or([contains("email"), contains("display_name")]));
  }
  return query.execute();
}
