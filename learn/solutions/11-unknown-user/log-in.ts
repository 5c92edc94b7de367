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
  const isRight = account ? await hasher.verify(account.passwordHash, password) : await hasher.verifyNothing(password);
  if (account === undefined || !isRight) throw new Problem("wrong-credentials");
  // Said only to who has just proved to own the account.
  if (account.isDisabled) throw new Problem("account-disabled");
  return account.id;
}
