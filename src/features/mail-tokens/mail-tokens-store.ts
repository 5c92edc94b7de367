import type { Insertable, Selectable } from "kysely";
import type { Tables } from "../../platform/database/tables.ts";
import type { Platform } from "../../platform/platform.ts";

type Db = Pick<Platform, "db">;

export type MailTokenRow = Selectable<Tables["mail_tokens"]>;

export async function insertToken({ db }: Db, token: Insertable<Tables["mail_tokens"]>): Promise<void> {
  await db.insertInto("mail_tokens").values(token).execute();
}

export async function findTokenByLink(
  { db }: Db,
  purpose: string,
  linkMac: Uint8Array,
): Promise<MailTokenRow | undefined> {
  return db
    .selectFrom("mail_tokens")
    .selectAll()
    .where("link_mac", "=", linkMac)
    .where("purpose", "=", purpose)
    .executeTakeFirst();
}

/**
 * Takes one of the tries that a code stands, whether or not the token was used: how the count goes tells nothing.
 * The token; `undefined` when there is no such flow, its time is over or its tries are.
 */
export async function takeCodeTry(
  { db }: Db,
  flow: { readonly purpose: string; readonly flowMac: Uint8Array; readonly at: number; readonly triesMax: number },
): Promise<MailTokenRow | undefined> {
  return db
    .updateTable("mail_tokens")
    .set(({ eb }) => ({ code_tries: eb("code_tries", "+", 1) }))
    .where("flow_mac", "=", flow.flowMac)
    .where("purpose", "=", flow.purpose)
    .where("code_expires_at", ">", flow.at)
    .where("code_tries", "<", flow.triesMax)
    .returningAll()
    .executeTakeFirst();
}

/** Uses a token: of all who try, one has `true`. It must be in time, and its account enabled and of the same address. */
export async function useToken({ db }: Db, id: string, at: number): Promise<boolean> {
  const { numUpdatedRows } = await db
    .updateTable("mail_tokens")
    .set({ used_at: at })
    .where("id", "=", id)
    .where("used_at", "is", null)
    .where("expires_at", ">", at)
    .where("account_id", "in", (query) =>
      query.selectFrom("accounts").select("accounts.id").where("accounts.disabled", "=", 0),
    )
    .where(({ or, eb, selectFrom }) =>
      or([
        eb("email_canonical", "is", null),
        eb(
          "email_canonical",
          "=",
          selectFrom("accounts").select("email_canonical").whereRef("accounts.id", "=", "mail_tokens.account_id"),
        ),
      ]),
    )
    .executeTakeFirstOrThrow();
  return numUpdatedRows === 1n;
}

/** Makes the unused tokens of an account worthless, all or those that were made after a moment. */
export async function voidTokens(
  { db }: Db,
  accountId: number,
  purposes: readonly string[],
  { at, madeAfter = -1 }: { readonly at: number; readonly madeAfter?: number },
): Promise<void> {
  await db
    .updateTable("mail_tokens")
    .set({ used_at: at })
    .where("account_id", "=", accountId)
    .where("purpose", "in", purposes)
    .where("created_at", ">", madeAfter)
    .where("used_at", "is", null)
    .execute();
}

/** The same for the tokens of all accounts. Returns how many. */
export async function voidAllTokens({ db }: Db, at: number): Promise<number> {
  const { numUpdatedRows } = await db
    .updateTable("mail_tokens")
    .set({ used_at: at })
    .where("used_at", "is", null)
    .executeTakeFirstOrThrow();
  return Number(numUpdatedRows);
}
