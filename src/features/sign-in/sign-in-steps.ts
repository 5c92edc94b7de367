import { Problem } from "../../contract/problems.ts";
import type { AccountRow } from "../../platform/database/tables.ts";

/** A proof was right; may this account come in? A step says nothing or throws why not. */
export type SignInStep = (account: AccountRow) => void;

/** Every way of signing in passes these, in this order. */
export const signInSteps: readonly SignInStep[] = [requireEnabledAccount];

// Said only to who has just proved to own the account.
function requireEnabledAccount(account: AccountRow): void {
  if (account.disabled === 1) throw new Problem("account-disabled");
}
