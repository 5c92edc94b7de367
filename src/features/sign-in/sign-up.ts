import { Problem } from "../../contract/problems.ts";
import type { AccountRow } from "../../platform/database/tables.ts";
import { inTransaction } from "../../platform/database/transaction.ts";
import { addressKey } from "../../platform/http/client-address.ts";
import type { RequestOrigin } from "../../platform/http/route.ts";
import type { Platform } from "../../platform/platform.ts";
import { addAccountIfFree, findAccountOf } from "../accounts/accounts.ts";
import { type Asked, type Asking, countMail } from "../email-flows/email-flows.ts";
import { onlyOnce } from "../idempotency/idempotency.ts";
import { type NewMail, sendMail } from "../mail/mail.ts";
import { hashNewPassword } from "../passwords/passwords.ts";
import type { Sessions, TokensBody } from "../sessions/sessions.ts";
import { enterNewAccount } from "./sign-in.ts";

export type SignUp = {
  readonly email: string;
  readonly password: string;
  readonly locale: string | undefined;
  readonly idempotencyKey: string | undefined;
};

export type SignedUp = { readonly accountId: number; readonly tokens: TokensBody };

/**
 * Makes an account and signs it in: both or neither, and for one Idempotency-Key only once.
 *
 * @throws Problem `email-taken`, `busy`, `idempotency-key-reused`, `request-in-progress`
 */
export async function signUp(
  platform: Platform,
  sessions: Sessions,
  { email, password, locale, idempotencyKey }: SignUp,
  asking: Asking,
): Promise<SignedUp> {
  const { origin } = asking;
  const request = repeatable(idempotencyKey, origin, { email, password });
  return onlyOnce<SignedUp>(platform, request, async (keep) => {
    // Saves the hash. Who gets past here at the same time is told apart by the unique index.
    if (await findAccountOf(platform, email)) throw new Problem("email-taken");
    const passwordHash = await hashNewPassword(platform, password);
    const made = await inTransaction(platform, async (tx) => {
      const entrant = { email, passwordHash, role: "user", by: "sign-up", origin, locale } as const;
      const { account, tokens } = await enterNewAccount(tx, sessions, entrant);
      const signedUp = {
        accountId: account.id,
        tokens: {
          ...tokens,
          ...(await askForConfirmation(tx, account, asking)),
          device_token: sessions.makeDeviceToken(account.id),
        },
      };
      await keep(tx, signedUp);
      return signedUp;
    });
    platform.metrics.signUps.inc();
    return made;
  });
}

async function askForConfirmation(
  tx: Platform,
  account: AccountRow,
  asking: Asking,
): Promise<Pick<TokensBody, "verification_flow">> {
  if (tx.config.mail.emailVerification === "off") return {};
  return { verification_flow: await sendMail(tx, { kind: "verify-email", account, email: account.email, ...asking }) };
}

/**
 * The sign-up of a server on which nobody signs in before the address is confirmed: it answers everybody the same, in
 * the same time, and says the rest by mail (requirement 12).
 *
 * @throws Problem `too-many-requests`, `busy`, `idempotency-key-reused`, `request-in-progress`
 */
export async function signUpSilently(
  platform: Platform,
  { email, password, locale, idempotencyKey }: SignUp,
  asking: Asking,
): Promise<Asked> {
  const { origin } = asking;
  const request = repeatable(idempotencyKey, origin, { email, password });
  return onlyOnce<Asked>(platform, request, async (keep) => {
    await countMail(platform, "verify-email", email);
    const askedAt = platform.clock.now();
    const passwordHash = await hashNewPassword(platform, password);
    const { flow, isNew } = await inTransaction(platform, async (tx) => {
      const entrant = { email, passwordHash, role: "user", by: "sign-up", origin, locale } as const;
      const made = await addAccountIfFree(tx, entrant);
      const found = made ?? (await findAccountOf(tx, email));
      const flow = await sendMail(tx, {
        ...mailFor(found, email, made ? undefined : { passwordHash, askedAt }),
        ...asking,
      });
      await keep(tx, { flow });
      return { flow, isNew: made !== undefined };
    });
    if (isNew) platform.metrics.signUps.inc();
    return { flow };
  });
}

/**
 * What who signs up is told by mail. The owner of an account is told that there is one. An address that nobody has
 * confirmed gets another mail, with the password of this sign-up behind it: whose mail is used, their password counts,
 * so that nobody can take an address beforehand with a password of their own.
 */
function mailFor(
  account: AccountRow | undefined,
  email: string,
  again: { readonly passwordHash: string; readonly askedAt: number } | undefined,
): Omit<NewMail, "origin"> {
  // Who asked before it was there asked together with who made it: one click too many, and one mail is enough (X19).
  if (account === undefined || (again && account.created_at >= again.askedAt)) {
    return { kind: "verify-email", account: undefined, email: email.trim() };
  }
  if (again && (account.email_verified === 1 || account.disabled === 1)) {
    return { kind: "account-exists", account, email: account.email, flowFor: "verify-email" };
  }
  return { kind: "verify-email", account, email: account.email, ...(again && { subject: again.passwordHash }) };
}

function repeatable(
  key: string | undefined,
  { address, requestId }: RequestOrigin,
  body: unknown,
): Parameters<typeof onlyOnce>[1] {
  return { key, caller: addressKey(address), operation: "sign-up", body, requestId };
}
