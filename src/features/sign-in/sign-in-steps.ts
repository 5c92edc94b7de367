import { Problem } from "../../contract/problems.ts";
import type { AccountRow } from "../../platform/database/tables.ts";
import type { Platform } from "../../platform/platform.ts";

/** A proof was right; may this account come in? A step says nothing or throws why not. */
export type SignInStep = (account: AccountRow, platform: Pick<Platform, "config">) => void;

/** Every way of signing in passes these, in this order. */
export const signInSteps: readonly SignInStep[] = [requireEnabledAccount, requireVerifiedEmail, requireNoForcedChange];

// All are said only to who has just proved to own the account.

function requireEnabledAccount(account: AccountRow): void {
  if (account.disabled === 1) throw new Problem("account-disabled");
}

function requireVerifiedEmail(account: AccountRow, { config }: Pick<Platform, "config">): void {
  if (config.mail.emailVerification === "required" && account.email_verified === 0) {
    throw new Problem("email-not-verified");
  }
}

// Whatever was proved: nobody comes in before the password that may be known to others is another one (ASVS 6.2.10).
function requireNoForcedChange(account: AccountRow): void {
  if (account.password_change_required === 1) throw new Problem("password-change-required");
}
