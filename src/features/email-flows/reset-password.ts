import { Problem } from "../../contract/problems.ts";
import { inTransaction } from "../../platform/database/transaction.ts";
import type { RequestOrigin } from "../../platform/http/route.ts";
import type { Platform } from "../../platform/platform.ts";
import { recordEvent } from "../audit/audit.ts";
import { type MailProof, proveMailToken, voidMailTokens } from "../mail-tokens/mail-tokens.ts";
import { notePasswordChanged } from "../notices/notices.ts";
import { chosenPasswordFaults, hashNewPassword, overwritePassword } from "../passwords/passwords.ts";
import { endSessions } from "../sessions/sessions.ts";
import { askByAddress, type Asked, type Asking, confirmAddress, useProof } from "./email-flows.ts";
import { findAccountById } from "./email-flows-store.ts";

/** @throws Problem `switched-off`, `too-many-requests` */
export async function askForReset(platform: Platform, email: string, asking: Asking): Promise<Asked> {
  return askByAddress(platform, "reset-password", email, asking, () => true);
}

/**
 * Another password for who reads the account's mail. Ends all sessions and starts none: whoever has it signs in with it,
 * through the one door, with whatever else is asked for there (ASVS 6.4.3, requirement 16).
 *
 * @throws Problem `link-refused`, `wrong-code`, `validation-failed`, `busy`
 */
export async function resetPassword(
  platform: Platform,
  proof: MailProof,
  password: string,
  origin: RequestOrigin,
): Promise<void> {
  const token = await proveMailToken(platform, "reset-password", proof);
  const proved = await findAccountById(platform, token.account_id);
  const errors = proved ? chosenPasswordFaults(platform, password, proved) : [];
  if (errors.length > 0) throw new Problem("validation-failed", { members: { errors } });
  const passwordHash = await hashNewPassword(platform, password);
  await inTransaction(platform, async (tx) => {
    const account = await useProof(tx, token);
    const { requestId, address } = origin;
    const actor = { actorId: account.id, requestId, address };
    await overwritePassword(tx, account.id, passwordHash);
    await confirmAddress(tx, account, origin);
    await voidMailTokens(tx, account.id, ["sign-in"]);
    await endSessions(tx, { accountId: account.id, reason: "password-reset", actor });
    await recordEvent(tx, { type: "password/reset", payload: {}, accountId: account.id, ...actor });
    await notePasswordChanged(tx, account, origin);
  });
}
