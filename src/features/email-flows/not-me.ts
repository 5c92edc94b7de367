import { inTransaction } from "../../platform/database/transaction.ts";
import type { AccountRow } from "../../platform/database/tables.ts";
import type { RequestOrigin } from "../../platform/http/route.ts";
import type { Platform } from "../../platform/platform.ts";
import { parsedEmail } from "../accounts/accounts.ts";
import { recordEvent } from "../audit/audit.ts";
import { proveMailToken, voidMailTokens } from "../mail-tokens/mail-tokens.ts";
import { sendMail } from "../mail/mail.ts";
import { hashNewPassword, newRandomPassword, overwritePassword } from "../passwords/passwords.ts";
import { endSessions } from "../sessions/sessions.ts";
import { takingAddress } from "./change-email.ts";
import { useProof } from "./email-flows.ts";
import { setAddress } from "./email-flows-store.ts";

/**
 * The owner says that something was not their doing: see `shutEverybodyOut`.
 *
 * @throws Problem `link-refused`, `busy`
 */
export async function reportNotMe(platform: Platform, link: string, origin: RequestOrigin): Promise<void> {
  const token = await proveMailToken(platform, "not-me", { link });
  const unusable = await hashNewPassword(platform, newRandomPassword(platform));
  await inTransaction(platform, async (tx) => {
    const account = await useProof(tx, token);
    await shutEverybodyOut(tx, account, unusable, origin);
  });
}

/**
 * Gives the account back the address that it had, and shuts everybody out. Works whatever the address is by now: who
 * took the account over may have changed it again.
 *
 * @throws Problem `link-refused`, `email-taken`, `busy`
 */
export async function undoEmailChange(platform: Platform, link: string, origin: RequestOrigin): Promise<void> {
  const token = await proveMailToken(platform, "undo-email-change", { link });
  const unusable = await hashNewPassword(platform, newRandomPassword(platform));
  await takingAddress(() =>
    inTransaction(platform, async (tx) => {
      const { id } = await useProof(tx, token);
      const account = await setAddress(tx, id, parsedEmail(token.subject ?? ""));
      const { requestId, address } = origin;
      const about = { actorId: id, accountId: id, requestId, address };
      await recordEvent(tx, { type: "account/email-changed", payload: { by: "undo" }, ...about });
      await shutEverybodyOut(tx, account, unusable, origin);
    }),
  );
}

/**
 * Ends all sessions, puts a password that nobody knows in the place of one that somebody else may know, makes every mail
 * worthless that is under way, and sends the one by which the owner chooses another password.
 */
async function shutEverybodyOut(
  tx: Platform,
  account: AccountRow,
  unusablePasswordHash: string,
  origin: RequestOrigin,
): Promise<void> {
  const { requestId, address } = origin;
  const actor = { actorId: account.id, requestId, address };
  await overwritePassword(tx, account.id, unusablePasswordHash);
  await endSessions(tx, { accountId: account.id, reason: "reported-by-owner", actor });
  await voidMailTokens(tx, account.id, ["reset-password", "sign-in", "change-email", "verify-email"]);
  await recordEvent(tx, { type: "account/takeover-reported", payload: {}, accountId: account.id, ...actor });
  await sendMail(tx, { kind: "reset-password", account, email: account.email, origin });
}
