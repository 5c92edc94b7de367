import type { AccountRow } from "../../platform/database/tables.ts";
import { inTransaction } from "../../platform/database/transaction.ts";
import type { Platform } from "../../platform/platform.ts";
import { addAccount, changeAccount, findAccountOf, listAccounts } from "../accounts/accounts.ts";
import { hashNewPassword, newRandomPassword } from "../passwords/passwords.ts";

const cursorPurpose = "accounts-cursor";

export type AccountPage = { readonly accounts: readonly AccountRow[]; readonly nextCursor: string | null };

/**
 * A page of accounts. The cursor says behind which account the next one starts and carries a tag of ours, so it
 * cannot be made by hand (Keto GO-2026-4801). `undefined` for a cursor that is not ours.
 */
export async function readAccountPage(
  platform: Pick<Platform, "db" | "secrets">,
  page: { readonly cursor: string | undefined; readonly limit: number; readonly text: string | undefined },
): Promise<AccountPage | undefined> {
  const after = page.cursor === undefined ? 0 : readCursor(platform, page.cursor);
  if (after === undefined) return undefined;
  const found = await listAccounts(platform, { after, count: page.limit + 1, text: page.text });
  const accounts = found.slice(0, page.limit);
  const last = accounts.at(-1);
  return { accounts, nextCursor: found.length > page.limit && last ? writeCursor(platform, last.id) : null };
}

function writeCursor({ secrets }: Pick<Platform, "secrets">, id: number): string {
  return `${id}.${secrets.tag(cursorPurpose, String(id))}`;
}

function readCursor({ secrets }: Pick<Platform, "secrets">, cursor: string): number | undefined {
  const [, id, tag] = /^([1-9][0-9]{0,15})\.([\w-]{1,64})$/.exec(cursor) ?? [];
  return id !== undefined && tag !== undefined && secrets.isTag(cursorPurpose, id, tag) ? Number(id) : undefined;
}

export type MadeAdministrator =
  | { readonly outcome: "created"; readonly password: string }
  | { readonly outcome: "promoted" }
  | { readonly outcome: "already" };

/**
 * Makes this address an administrator's: the account it has, enabled again if need be, or a new one with a password
 * that is told once. For the command line: who can read the server's files is trusted.
 *
 * @throws Problem `validation-failed` when it is no e-mail address
 */
export async function createAdministrator(platform: Platform, email: string): Promise<MadeAdministrator> {
  const account = await findAccountOf(platform, email);
  if (account?.role === "admin" && account.disabled === 0) return { outcome: "already" };
  if (account) {
    await changeAccount(platform, undefined, account.id, { role: "admin", disabled: false });
    return { outcome: "promoted" };
  }
  const password = newRandomPassword(platform);
  const passwordHash = await hashNewPassword(platform, password);
  await inTransaction(platform, (tx) => addAccount(tx, { email, passwordHash, role: "admin", by: "command-line" }));
  return { outcome: "created", password };
}
