import { Problem } from "../../contract/problems.ts";
import type { AccountRow } from "../../platform/database/tables.ts";
import { inTransaction } from "../../platform/database/transaction.ts";
import type { RequestOrigin } from "../../platform/http/route.ts";
import type { Platform } from "../../platform/platform.ts";
import { askByAddress, type Asked, type Asking, confirmAddress, useProof } from "../email-flows/email-flows.ts";
import { type MailProof, proveMailToken } from "../mail-tokens/mail-tokens.ts";
import { noteSignIn } from "../notices/notices.ts";
import { hashNewPassword, newRandomPassword, overwritePassword } from "../passwords/passwords.ts";
import { endSessions, type Sessions, type TokensBody } from "../sessions/sessions.ts";
import { openDoor } from "./sign-in.ts";

function requireMailSignIn({ config }: Pick<Platform, "config">): void {
  if (config.mail.signInByMail) return;
  throw new Problem("switched-off", { detail: "Nobody signs in by mail on this server: SIGN_IN_BY_MAIL is off." });
}

/** @throws Problem `switched-off`, `too-many-requests` */
export async function askForSignIn(platform: Platform, email: string, asking: Asking): Promise<Asked> {
  requireMailSignIn(platform);
  return askByAddress(platform, "sign-in", email, asking, () => true);
}

/**
 * Signs in with what came by mail, through the one door.
 *
 * An address that nobody had confirmed is confirmed by it. Whoever set the password before that need not be the same
 * person, so that password and what was done with it end here: else somebody could make an account for another's address
 * and wait until its owner moves in.
 *
 * @throws Problem `switched-off`, `link-refused`, `wrong-code`, `account-disabled`, `password-change-required`, `busy`
 */
export async function signInByMail(
  platform: Platform,
  sessions: Sessions,
  presented: { readonly proof: MailProof; readonly deviceToken: string | undefined },
  origin: RequestOrigin,
): Promise<TokensBody> {
  requireMailSignIn(platform);
  const token = await proveMailToken(platform, "sign-in", presented.proof);
  const unusable = await hashNewPassword(platform, newRandomPassword(platform));
  const deviceId = sessions.readDeviceToken(presented.deviceToken, token.account_id);
  const { account, session } = await inTransaction(platform, async (tx) => {
    const proved = await useProof(tx, token);
    const account = proved.email_verified === 1 ? proved : await moveIn(tx, proved, unusable, origin);
    const session = await openDoor(tx, account, "mail", origin);
    await noteSignIn(tx, account, { sessionId: session.id, isKnownDevice: deviceId !== undefined }, origin);
    return { account, session };
  });
  platform.metrics.signIns.inc();
  const tokens = await sessions.issueTokens(account, session);
  const isKnownDevice = presented.deviceToken !== undefined && deviceId !== undefined;
  return { ...tokens, device_token: isKnownDevice ? presented.deviceToken : sessions.makeDeviceToken(account.id) };
}

async function moveIn(
  tx: Platform,
  account: AccountRow,
  unusablePasswordHash: string,
  origin: RequestOrigin,
): Promise<AccountRow> {
  await confirmAddress(tx, account, origin);
  await overwritePassword(tx, account.id, unusablePasswordHash);
  await endSessions(tx, { accountId: account.id, reason: "password-changed" });
  return { ...account, email_verified: 1, password_hash: unusablePasswordHash, password_change_required: 0 };
}
