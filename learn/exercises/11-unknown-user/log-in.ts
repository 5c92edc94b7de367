import { Problem } from "../../../src/contract/problems.ts";
import type { PasswordHasher } from "../../../src/platform/hashing/password-hasher.ts";

export type Account = { readonly id: number; readonly passwordHash: string; readonly isDisabled: boolean };

/**
 * The id of the account, for who knows its password.
 *
 * @throws Problem `wrong-credentials`, `account-disabled`
 */
export async function logIn(
  accounts: ReadonlyMap<string, Account>,
  hasher: Pick<PasswordHasher, "verify" | "verifyNothing">,
  email: string,
  password: string,
): Promise<number> {
  const account = accounts.get(email);
  if (account === undefined) throw new Problem("user-not-found", { detail: `There is no account of ${email}.` });
  if (account.isDisabled) throw new Problem("account-disabled");
  const isRight = await hasher.verify(account.passwordHash, password);
  if (!isRight) throw new Problem("wrong-credentials", { detail: "The password is wrong." });
  return account.id;
}
