import { Problem } from "../../contract/problems.ts";
import { inTransaction } from "../../platform/database/transaction.ts";
import type { RequestOrigin } from "../../platform/http/route.ts";
import type { Platform } from "../../platform/platform.ts";
import { type MailProof, proveMailToken } from "../mail-tokens/mail-tokens.ts";
import { overwritePassword } from "../passwords/passwords.ts";
import { endSessions } from "../sessions/sessions.ts";
import { askByAddress, type Asked, type Asking, confirmAddress, useProof } from "./email-flows.ts";

/**
 * Another mail for an address that is still to be confirmed.
 *
 * @throws Problem `switched-off`, `too-many-requests`
 */
export async function askForVerification(platform: Platform, email: string, asking: Asking): Promise<Asked> {
  if (platform.config.mail.emailVerification === "off") {
    throw new Problem("switched-off", {
      detail: "Addresses are not confirmed on this server: EMAIL_VERIFICATION=off.",
    });
  }
  return askByAddress(platform, "verify-email", email, asking, (account) => account.email_verified === 0);
}

/**
 * Confirms the address. Where several people signed up with it before anybody confirmed it, the one whose mail is used
 * is believed: their password counts.
 *
 * @throws Problem `link-refused`, `wrong-code`
 */
export async function verifyEmail(platform: Platform, proof: MailProof, origin: RequestOrigin): Promise<void> {
  const token = await proveMailToken(platform, "verify-email", proof);
  await inTransaction(platform, async (tx) => {
    const account = await useProof(tx, token);
    if (account.email_verified === 1) return;
    if (token.subject !== null) {
      await overwritePassword(tx, account.id, token.subject);
      await endSessions(tx, { accountId: account.id, reason: "password-changed" });
    }
    await confirmAddress(tx, account, origin);
  });
}
