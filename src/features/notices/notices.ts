import type { AccountRow } from "../../platform/database/tables.ts";
import type { RequestOrigin } from "../../platform/http/route.ts";
import type { Platform } from "../../platform/platform.ts";
import { sendMail } from "../mail/mail.ts";
import { hasOtherSession, hasSessionFrom } from "./notices-store.ts";

/*
 * What an owner is told unasked (ASVS 6.3.7, requirement 18), each with "This was not me". Call them in the transaction
 * of what they tell: who changed something without its owner must not be able to do so unseen.
 */

const newSeconds = 86_400;

/**
 * Somebody signed in. Told when the client is not one that has been here before: neither by its token, nor by its place.
 * The first one to come to a new account is its owner.
 */
export async function noteSignIn(
  tx: Platform,
  account: AccountRow,
  signIn: { readonly sessionId: string; readonly isKnownDevice: boolean },
  origin: RequestOrigin,
): Promise<void> {
  if (signIn.isKnownDevice || (await hasSessionFrom(tx, account.id, origin, signIn.sessionId))) return;
  const isNew = tx.clock.now() - account.created_at < newSeconds * 1000;
  if (isNew && !(await hasOtherSession(tx, account.id, signIn.sessionId))) return;
  await sendMail(tx, { kind: "new-device", account, email: account.email, origin });
}

export async function notePasswordChanged(tx: Platform, account: AccountRow, origin: RequestOrigin): Promise<void> {
  await sendMail(tx, { kind: "password-changed", account, email: account.email, origin });
}

/** A used refresh token came again, and its session was ended. */
export async function noteRefreshReused(tx: Platform, account: AccountRow, origin: RequestOrigin): Promise<void> {
  await sendMail(tx, { kind: "refresh-reused", account, email: account.email, origin });
}

/**
 * The account has another address. The one before gets the way back, if somebody had shown that it is theirs: whoever a
 * mistyped one belongs to must not be offered the account.
 */
export async function noteEmailChanged(
  tx: Platform,
  before: AccountRow,
  after: AccountRow,
  origin: RequestOrigin,
): Promise<void> {
  if (before.email_verified === 1) {
    await sendMail(tx, {
      kind: "email-changed",
      account: after,
      email: before.email,
      to: before.email,
      newEmail: after.email,
      subject: before.email,
      origin,
    });
  }
  await sendMail(tx, { kind: "email-confirmed", account: after, email: after.email, origin });
}
