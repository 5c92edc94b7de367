import { Problem } from "../../contract/problems.ts";
import type { AccountRow } from "../../platform/database/tables.ts";
import type { Platform } from "../../platform/platform.ts";
import {
  findTokenByLink,
  insertToken,
  type MailTokenRow,
  takeCodeTry,
  useToken,
  voidAllTokens,
  voidTokens,
} from "./mail-tokens-store.ts";

/** What a token lets its bearer do, once. Each purpose has keys of its own, so none passes at another's door. */
export const mailTokenPurposes = [
  "verify-email",
  "reset-password",
  "change-email",
  "sign-in",
  "not-me",
  "undo-email-change",
] as const;
export type MailTokenPurpose = (typeof mailTokenPurposes)[number];

/** Tells a leaked one to scanners of repositories and logs. */
const linkPrefix = "tgm_";
const flowPrefix = "tgf_";
const linkBytes = 32;
const flowBytes = 16;
const codeTriesMax = 5;

/** Crockford's base 32: no letter that looks like a digit. Eight of them are 40 bits. */
const codeAlphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const codeLength = 8;

/** What goes out, and is kept nowhere: in the link, to the client that asked, and to be typed there. */
export type FreshMailToken = { readonly link: string; readonly flow: string; readonly code: string };

export function makeMailToken({ secrets }: Pick<Platform, "secrets">): FreshMailToken {
  const symbols = [...secrets.randomBytes(codeLength)].map((byte) => codeAlphabet[byte % codeAlphabet.length]);
  return {
    link: linkPrefix + secrets.randomText(linkBytes),
    flow: flowPrefix + secrets.randomText(flowBytes),
    code: symbols.join(""),
  };
}

/** As a person reads it. */
export function shownCode(code: string): string {
  return `${code.slice(0, codeLength / 2)}-${code.slice(codeLength / 2)}`;
}

export type NewMailToken = {
  readonly purpose: MailTokenPurpose;
  readonly fresh: FreshMailToken;
  /** `undefined`: nobody's. It can be tried like any other, and never works. */
  readonly account: Pick<AccountRow, "id" | "email_canonical"> | undefined;
  /** Whether it works only as long as the account has the address that it has now. */
  readonly boundTo: "this address" | "the account";
  readonly subject?: string;
  readonly mailId: string;
  readonly lifetimeSeconds: number;
  /** `undefined`: by link alone. */
  readonly codeLifetimeSeconds: number | undefined;
};

export async function keepMailToken(
  tx: Pick<Platform, "db" | "clock" | "secrets">,
  token: NewMailToken,
): Promise<void> {
  const { purpose, fresh, account, codeLifetimeSeconds } = token;
  const now = tx.clock.now();
  const hasCode = codeLifetimeSeconds !== undefined;
  await insertToken(tx, {
    id: tx.secrets.randomText(16),
    purpose,
    account_id: account?.id ?? null,
    mail_id: token.mailId,
    email_canonical: token.boundTo === "this address" ? (account?.email_canonical ?? null) : null,
    subject: token.subject ?? null,
    link_mac: macOf(tx, "link", purpose, fresh.link),
    flow_mac: hasCode ? macOf(tx, "flow", purpose, fresh.flow) : null,
    code_mac: hasCode ? macOf(tx, "code", purpose, fresh.flow + fresh.code) : null,
    code_tries: 0,
    code_expires_at: hasCode ? now + Math.min(codeLifetimeSeconds, token.lifetimeSeconds) * 1000 : null,
    created_at: now,
    expires_at: now + token.lifetimeSeconds * 1000,
    used_at: null,
  });
}

function macOf(
  { secrets }: Pick<Platform, "secrets">,
  part: "link" | "flow" | "code",
  purpose: MailTokenPurpose,
  text: string,
): Uint8Array {
  return secrets.mac(`mail-${part}/${purpose}`, Buffer.from(text));
}

/** What somebody brings from a mail: its link, or its code together with the handle that only the asking client has. */
export type MailProof = { readonly link: string } | { readonly flow: string; readonly code: string };

/** A token that was proved and not yet used. */
export type ProvedMailToken = MailTokenRow & { readonly account_id: number };

/**
 * Whether somebody holds a living token for this purpose. Uses nothing but a try of a code.
 *
 * A link tells its bearer why it is refused. A code is refused in one way for all reasons: who asked for a mail to
 * somebody else's address also holds a flow, and must not learn whether an account has it, or whether its owner used the
 * link (requirement 12). It is compared after its try was counted, so a thousand guesses at once are five.
 *
 * @throws Problem `link-refused`, `wrong-code`
 */
export async function proveMailToken(
  platform: Pick<Platform, "db" | "clock" | "secrets">,
  purpose: MailTokenPurpose,
  proof: MailProof,
): Promise<ProvedMailToken> {
  if ("link" in proof) return proveLink(platform, purpose, proof.link);
  const { flow, code } = proof;
  const at = platform.clock.now();
  const flowMac = macOf(platform, "flow", purpose, flow);
  const token = await takeCodeTry(platform, { purpose, flowMac, at, triesMax: codeTriesMax });
  const codeMac = macOf(platform, "code", purpose, flow + plainCode(code));
  const isRight = platform.secrets.isSame(token?.code_mac ?? new Uint8Array(codeMac.length), codeMac);
  if (token === undefined || !isRight || !isSomebodys(token) || token.used_at !== null) {
    throw new Problem("wrong-code");
  }
  return token;
}

async function proveLink(
  platform: Pick<Platform, "db" | "clock" | "secrets">,
  purpose: MailTokenPurpose,
  link: string,
): Promise<ProvedMailToken> {
  const token = await findTokenByLink(platform, purpose, macOf(platform, "link", purpose, link));
  if (token === undefined || !isSomebodys(token)) throw refusedLink("unknown");
  if (token.used_at !== null) throw refusedLink("used");
  if (token.expires_at <= platform.clock.now()) throw refusedLink("expired");
  return token;
}

function isSomebodys(token: MailTokenRow): token is ProvedMailToken {
  return token.account_id !== null;
}

/** As it was made: people type small letters, spaces and hyphens, and O for 0. */
function plainCode(typed: string): string {
  return typed.toUpperCase().replaceAll(/[\s-]/g, "").replaceAll("O", "0").replaceAll(/[IL]/g, "1");
}

function refusedLink(reason: "unknown" | "expired" | "used" | "void"): Problem {
  return new Problem("link-refused", { members: { reason } });
}

/**
 * Uses a proved token, and makes its account's others of the same purpose worthless. Call it in the transaction of what
 * it is used for; of all who come at once, one gets past here.
 *
 * Of the ways back from another address only those made later go: whoever took an account over and moved it twice holds
 * the second one, and must not take the first from its owner.
 *
 * @throws Problem `link-refused`
 */
export async function useMailToken(tx: Pick<Platform, "db" | "clock">, token: ProvedMailToken): Promise<void> {
  const at = tx.clock.now();
  if (!(await useToken(tx, token.id, at))) throw refusedLink("void");
  const madeAfter = token.purpose === "undo-email-change" ? token.created_at : -1;
  await voidTokens(tx, token.account_id, [token.purpose], { at, madeAfter });
}

/** Makes an account's tokens worthless, unused as they are: what they were for has happened, or must not. */
export async function voidMailTokens(
  tx: Pick<Platform, "db" | "clock">,
  accountId: number,
  purposes: readonly MailTokenPurpose[],
): Promise<void> {
  await voidTokens(tx, accountId, purposes, { at: tx.clock.now() });
}

/** Makes every token of every account worthless. Returns how many were living. */
export async function voidEveryMailToken(tx: Pick<Platform, "db" | "clock">): Promise<number> {
  return await voidAllTokens(tx, tx.clock.now());
}
