import type { Role } from "../../contract/permissions.ts";
import type { AccountRow } from "../../platform/database/tables.ts";
import { inTransaction } from "../../platform/database/transaction.ts";
import { readCursor, writeCursor } from "../../platform/http/cursors.ts";
import type { Platform } from "../../platform/platform.ts";
import { addAccount, changeAccount, findAccountOf, listAccounts } from "../accounts/accounts.ts";
import { hashNewPassword, newRandomPassword } from "../passwords/passwords.ts";

export type AccountPage = { readonly accounts: readonly AccountRow[]; readonly nextCursor: string | null };

export type AccountQuery = {
  readonly cursor: string | undefined;
  readonly limit: number;
  readonly text: string | undefined;
  readonly role: Role | undefined;
  readonly disabled: boolean | undefined;
};

/**
 * A page of accounts. The cursor says where the next one starts.
 *
 * @throws Problem `validation-failed` for a cursor that is not ours
 */
export async function readAccountPage(
  platform: Pick<Platform, "db" | "secrets">,
  { cursor, limit, ...filter }: AccountQuery,
): Promise<AccountPage> {
  const list = JSON.stringify(["accounts", filter.text, filter.role, filter.disabled]);
  const from = readCursor(platform, list, cursor);
  const { accounts, next } = await listAccounts(platform, filter, { from, count: limit });
  return { accounts, nextCursor: next === undefined ? null : writeCursor(platform, list, next) };
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
