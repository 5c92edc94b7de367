import { type Static, type TObject, Type } from "typebox";
import { type Fault, Problem } from "../../contract/problems.ts";
import type { AccountRow } from "../../platform/database/tables.ts";
import { inTransaction } from "../../platform/database/transaction.ts";
import type { RequestOrigin } from "../../platform/http/route.ts";
import type { Platform } from "../../platform/platform.ts";
import { takeLimit } from "../../platform/rate-limit/take-limit.ts";
import { emailKey, findAccountOf } from "../accounts/accounts.ts";
import { recordEvent } from "../audit/audit.ts";
import {
  type MailProof,
  type MailTokenPurpose,
  type ProvedMailToken,
  useMailToken,
} from "../mail-tokens/mail-tokens.ts";
import { noteMailUsed, sendMail } from "../mail/mail.ts";
import { findAccountById, setVerified } from "./email-flows-store.ts";

/** Who asks for a mail: where from, and by which cookie the browser is known again when the link is opened. */
export type Asking = { readonly origin: RequestOrigin; readonly browser: string | undefined };

/** What brings a code back to the request that asked for it. */
export type Asked = { readonly flow: string };

/** @throws Problem `switched-off` where no mail is sent */
export function requireMail({ mailer }: Pick<Platform, "mailer">): void {
  if (mailer === undefined)
    throw new Problem("switched-off", { detail: "This server sends no mail: SMTP_URL is not set." });
}

/** Counts one mail for a purpose to an address, whether or not it has an account. @throws Problem `too-many-requests` */
export async function countMail(platform: Platform, purpose: MailTokenPurpose, email: string): Promise<void> {
  await takeLimit(platform, "mail-account", `${purpose}:${emailKey(email)}`);
}

/**
 * Sends a mail to the account of an address, if there is one that it is for; does the same for nobody otherwise, with
 * the same answer in the same time (requirement 12). It goes to the address as it is stored, not as it was typed (V21).
 *
 * @throws Problem `switched-off`, `too-many-requests`
 */
export async function askByAddress(
  platform: Platform,
  kind: MailTokenPurpose & ("verify-email" | "reset-password" | "sign-in"),
  email: string,
  asking: Asking,
  isFor: (account: AccountRow) => boolean,
): Promise<Asked> {
  requireMail(platform);
  await countMail(platform, kind, email);
  const found = await findAccountOf(platform, email);
  const account = found && found.disabled === 0 && isFor(found) ? found : undefined;
  const flow = await inTransaction(platform, (tx) =>
    sendMail(tx, { kind, account, email: account?.email ?? email.trim(), ...asking }),
  );
  return { flow };
}

/**
 * Uses what somebody brought from a mail, and gives the account that it is for as it is now. Call it in the transaction
 * of what it is used for, before anything else.
 *
 * @throws Problem `link-refused`
 */
export async function useProof(tx: Platform, token: ProvedMailToken): Promise<AccountRow> {
  await useMailToken(tx, token);
  await noteMailUsed(tx, token.mail_id);
  const account = await findAccountById(tx, token.account_id);
  if (account === undefined) throw new Error("A token was used whose account is not there.");
  return account;
}

/** Whoever uses what came by mail has shown that the address is theirs. Call it in that transaction. */
export async function confirmAddress(tx: Platform, account: AccountRow, origin: RequestOrigin): Promise<void> {
  if (!(await setVerified(tx, account.id))) return;
  const { requestId, address } = origin;
  const about = { actorId: account.id, accountId: account.id, requestId, address };
  await recordEvent(tx, { type: "account/email-verified", payload: {}, ...about });
}

/** An address that somebody gives, in a body. */
export const EmailMember = Type.String({ format: "email", maxLength: 320, examples: ["alice@example.com"] });

/** What a request for a mail is answered with, whoever it was for. */
export const AskedBody = Type.Object(
  {
    flow: Type.String({
      description: "Brings the code of the mail, from the client that asked for it and no other. Keep it to yourself.",
    }),
  },
  { title: "MailAsked" },
);

/** What somebody brings from a mail, as members of a body. */
export const proofMembers = {
  token: Type.Optional(
    Type.String({ minLength: 1, maxLength: 128, description: "From the link in the mail: what follows the #." }),
  ),
  flow: Type.Optional(Type.String({ minLength: 1, maxLength: 128, description: "Of the request for the mail." })),
  code: Type.Optional(Type.String({ minLength: 1, maxLength: 32, description: "Of the mail, as it is typed." })),
};

type ProofMembers = Static<TObject<typeof proofMembers>>;

/** It is either of the two, and whole. */
export function proofFaults(body: unknown): readonly Fault[] {
  if (typeof body !== "object" || body === null) return [];
  const { token, flow, code } = body as Readonly<Record<string, unknown>>;
  const missing = (name: string, instead: string): Fault => {
    return { pointer: `#/${name}`, detail: `is missing, or ${instead}`, code: "required" };
  };
  if (token === undefined && flow === undefined && code === undefined) return [missing("token", "flow and code are")];
  if (token !== undefined && (flow ?? code) !== undefined) {
    return [{ pointer: "#/token", detail: "must come alone, without flow and code", code: "two-proofs" }];
  }
  if (token !== undefined) return [];
  return [
    ...(flow === undefined ? [missing("flow", "token is")] : []),
    ...(code === undefined ? [missing("code", "token is")] : []),
  ];
}

/** `proofFaults` saw to it that it is one of the two. */
export function proofOf({ token, flow = "", code = "" }: ProofMembers): MailProof {
  return token === undefined ? { flow, code } : { link: token };
}
