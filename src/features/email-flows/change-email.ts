import { Problem } from "../../contract/problems.ts";
import { isUniqueViolation } from "../../platform/database/database-faults.ts";
import { inTransaction } from "../../platform/database/transaction.ts";
import type { Caller } from "../../platform/http/access.ts";
import type { RequestOrigin } from "../../platform/http/route.ts";
import type { Platform } from "../../platform/platform.ts";
import { findAccountOf, parsedEmail } from "../accounts/accounts.ts";
import { recordEvent } from "../audit/audit.ts";
import { type MailProof, proveMailToken } from "../mail-tokens/mail-tokens.ts";
import { sendMail } from "../mail/mail.ts";
import { noteEmailChanged } from "../notices/notices.ts";
import { type Asked, type Asking, countMail, requireMail, useProof } from "./email-flows.ts";
import { setAddress } from "./email-flows-store.ts";

/**
 * Asks the next address whether it is its owner's. Whether it has an account already is told to nobody but whoever reads
 * its mail.
 *
 * @throws Problem `switched-off`, `too-many-requests`
 */
export async function askToChangeEmail(
  platform: Platform,
  { account }: Caller,
  email: string,
  asking: Asking,
): Promise<Asked> {
  requireMail(platform);
  await countMail(platform, "change-email", email);
  await countMail(platform, "change-email", `account ${account.id}`);
  const { typed } = parsedEmail(email);
  const owner = await findAccountOf(platform, email);
  const flow = await inTransaction(platform, (tx) =>
    owner === undefined || owner.id === account.id
      ? sendMail(tx, {
          kind: "change-email",
          account,
          email: account.email,
          to: typed,
          newEmail: typed,
          subject: typed,
          ...asking,
        })
      : sendMail(tx, {
          kind: "account-exists",
          account: owner,
          email: owner.email,
          flowFor: "change-email",
          ...asking,
        }),
  );
  return { flow };
}

/**
 * Gives the account the address that was confirmed. The one before is told, with a way back.
 *
 * @throws Problem `link-refused`, `wrong-code`, `email-taken`
 */
export async function changeEmail(platform: Platform, proof: MailProof, origin: RequestOrigin): Promise<void> {
  const token = await proveMailToken(platform, "change-email", proof);
  await takingAddress(() =>
    inTransaction(platform, async (tx) => {
      const before = await useProof(tx, token);
      const after = await setAddress(tx, before.id, parsedEmail(token.subject ?? ""));
      const { requestId, address } = origin;
      const about = { actorId: before.id, accountId: before.id, requestId, address };
      await recordEvent(tx, { type: "account/email-changed", payload: { by: "owner" }, ...about });
      await noteEmailChanged(tx, before, after, origin);
    }),
  );
}

/** An address that another account has taken meanwhile undoes the whole transaction; the mail's link still works. */
export async function takingAddress<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw isUniqueViolation(error, "accounts.email_canonical") ? new Problem("email-taken", { cause: error }) : error;
  }
}
