import type { IncomingHttpHeaders } from "node:http";
import type { FastifyReply } from "fastify";
import type { AccountRow } from "../../platform/database/tables.ts";
import { createOwnCookie } from "../../platform/http/own-cookies.ts";
import type { RequestOrigin } from "../../platform/http/route.ts";
import type { Platform } from "../../platform/platform.ts";
import { keepMailToken, makeMailToken, type MailTokenPurpose, shownCode } from "../mail-tokens/mail-tokens.ts";
import { asciiAddress } from "./mail-address.ts";
import { sealContent } from "./mail-content.ts";
import { createMailDelivery, type MailDelivery } from "./mail-delivery.ts";
import { countMails, countSteps, deleteOldMails, findMail, insertMail, insertStep, readOutbox } from "./mail-store.ts";
import { mailTemplates } from "./mail-templates.ts";
import type { MailKind } from "./mail-texts.ts";
import { languageOfMail, writeMail } from "./write-mail.ts";

type Door = { readonly purpose: MailTokenPurpose; readonly page: string; readonly hasCode?: true };

/** The mails whose button does something, once; each opens a page whose button asks the API for it. */
const doors: Readonly<Partial<Record<MailKind, Door>>> = {
  "verify-email": { purpose: "verify-email", page: "/mail/verify", hasCode: true },
  "reset-password": { purpose: "reset-password", page: "/mail/reset", hasCode: true },
  "sign-in": { purpose: "sign-in", page: "/mail/sign-in", hasCode: true },
  "change-email": { purpose: "change-email", page: "/mail/change-email", hasCode: true },
  "email-changed": { purpose: "undo-email-change", page: "/mail/undo-email-change" },
  "new-device": { purpose: "not-me", page: "/mail/not-me" },
  "password-changed": { purpose: "not-me", page: "/mail/not-me" },
  "refresh-reused": { purpose: "not-me", page: "/mail/not-me" },
};

/**
 * Mails that nobody asked for, so that they have a bound of their own, each kind apart: no number of one can keep the
 * first of another from its reader. The way back from another address has none.
 */
const boundedNotices: readonly MailKind[] = ["new-device", "password-changed", "refresh-reused"];
const noticesPerDayMax = 20;
const dayMilliseconds = 86_400_000;
/** A mail later than that is no news any more. */
const sendingSecondsMax = 2 * 86_400;

export type NewMail = {
  readonly kind: MailKind;
  /** Whose it is. `undefined`: no account has the address, so the mail is written, kept and sent to nobody. */
  readonly account: Pick<AccountRow, "id" | "email" | "email_canonical" | "locale"> | undefined;
  /** The address that it speaks of. */
  readonly email: string;
  /** The one that it goes to, where that is not the account's own: the next one, or the one before. */
  readonly to?: string;
  readonly newEmail?: string;
  /** What its token is about; see `mail_tokens`. */
  readonly subject?: string;
  /** Makes a flow that leads nowhere, for a mail that has none: who asked sees no difference. */
  readonly flowFor?: MailTokenPurpose;
  readonly origin: RequestOrigin;
  /** The cookie of the browser that asks for it. */
  readonly browser?: string | undefined;
};

/**
 * Writes a mail into the outbox. Call it in the transaction of what it tells: both are kept, or none.
 * Returns the handle by which the asking client brings the code; nothing that is in the mail.
 *
 * Everything is done for nobody as for somebody, to the row in the outbox, so that it takes as long (requirement 12).
 */
export async function sendMail(tx: Platform, mail: NewMail): Promise<string> {
  const { kind, account } = mail;
  const fresh = makeMailToken(tx);
  if (tx.mailer === undefined) return fresh.flow; // Whoever needs mail has refused before; notices are left out.
  const { lifetimesSeconds, codeLifetimeSeconds } = tx.config.mail;
  const door = doors[kind];
  const id = tx.secrets.randomText(16);
  const now = tx.clock.now();
  const language = languageOfMail(tx, account?.locale ?? null);
  const lifetimeSeconds = door ? lifetimesSeconds[door.purpose] : sendingSecondsMax;
  const letter = {
    kind,
    email: mail.email,
    ...(mail.newEmail === undefined ? {} : { newEmail: mail.newEmail }),
    cause: { at: now, address: mail.origin.address, userAgent: mail.origin.userAgent },
    link: linkTo(tx, door && { ...door, id, token: fresh.link, lifetimeSeconds, language }),
    ...(door?.hasCode ? { code: { shown: shownCode(fresh.code), lifetimeSeconds: codeLifetimeSeconds } } : {}),
  };
  const written = writeMail(tx, letter, account?.locale ?? null);
  const isTooMuch = account !== undefined && (await isOneNoticeTooMany(tx, kind, account.id));
  await insertMail(tx, {
    id,
    kind,
    account_id: account?.id ?? null,
    recipient: account ? asciiAddress(mail.to ?? account.email) : null,
    state: isTooMuch ? "withheld" : "queued",
    content_encrypted: isTooMuch ? null : sealContent(tx, { ...written, secrets: [fresh.link, shownCode(fresh.code)] }),
    created_at: now,
    expires_at: now + Math.min(lifetimeSeconds, sendingSecondsMax) * 1000,
    due_at: isTooMuch ? null : now,
    claim: null,
    tries: 0,
    handed_over: 0,
    browser_tag: mail.browser === undefined ? null : tx.secrets.tag(browserPurpose, mail.browser),
  });
  const words = isTooMuch ? `more than ${noticesPerDayMax} of a kind in a day` : undefined;
  await insertStep(tx, { mailId: id, at: now, step: isTooMuch ? "withheld" : "queued", words });
  const purpose = door?.purpose ?? mail.flowFor;
  if (purpose === undefined) return fresh.flow;
  await keepMailToken(tx, {
    purpose,
    fresh,
    account: door ? account : undefined,
    // Whoever took the account over also changes its address again: the way back must outlive that.
    boundTo: purpose === "undo-email-change" ? "the account" : "this address",
    ...(mail.subject === undefined ? {} : { subject: mail.subject }),
    mailId: id,
    lifetimeSeconds,
    codeLifetimeSeconds: door?.hasCode || mail.flowFor ? codeLifetimeSeconds : undefined,
  });
  return fresh.flow;
}

const browserPurpose = "mail-browser";

type Target = Door & {
  readonly id: string;
  readonly token: string;
  readonly lifetimeSeconds: number;
  readonly language: string;
};

/** Of PUBLIC_URL alone, never of a header (requirement 78). The token is a fragment: no log and no referrer has it. */
function linkTo(
  { config }: Pick<Platform, "config">,
  target: Target | undefined,
): { readonly address: string; readonly lifetimeSeconds: number | undefined } {
  if (target === undefined) return { address: `${config.publicUrl}/sign-in`, lifetimeSeconds: undefined };
  const { page, id, token, lifetimeSeconds, language } = target;
  return { address: `${config.publicUrl}${page}?m=${id}&l=${language}#${token}`, lifetimeSeconds };
}

async function isOneNoticeTooMany(tx: Platform, kind: MailKind, accountId: number): Promise<boolean> {
  if (!boundedNotices.includes(kind)) return false;
  return (await countMails(tx, accountId, kind, tx.clock.now() - dayMilliseconds)) >= noticesPerDayMax;
}

const browserSeconds = 86_400;

/**
 * The cookie by which the browser that asks for a mail is known again when its link is opened; set when it has none. It
 * proves nothing and lets nobody in. Programs get none.
 */
export function askingBrowser(
  { config, secrets }: Pick<Platform, "config" | "secrets">,
  headers: IncomingHttpHeaders,
  reply: FastifyReply,
): string | undefined {
  if (headers["sec-fetch-site"] !== "same-origin") return undefined;
  const cookie = createOwnCookie(config.publicUrl, "mail", "Lax");
  const known = cookie.read(headers);
  if (known !== undefined && known.length <= 64) return known;
  const browser = secrets.randomText(16);
  reply.header("set-cookie", cookie.set(browser, browserSeconds));
  return browser;
}

/** Notes that the token of a mail was used. Call it in that transaction. */
export async function noteMailUsed(tx: Pick<Platform, "db" | "clock">, mailId: string): Promise<void> {
  await insertStep(tx, { mailId, at: tx.clock.now(), step: "used" });
}

const outboxCountMax = 10_000;

/** How many mails wait to be sent, and for how long the oldest does: what rises when the relay is away. */
export async function outboxStanding(
  platform: Pick<Platform, "db" | "clock">,
): Promise<{ readonly mails: number; readonly oldestSeconds: number }> {
  const { mails, oldestAt } = await readOutbox(platform, outboxCountMax);
  return { mails, oldestSeconds: oldestAt === null ? 0 : Math.max(0, platform.clock.now() - oldestAt) / 1000 };
}

const stepsMax = 50;

/**
 * Notes that the page of a mail's link was fetched, which changes nothing else: programs that look for malicious links
 * do so before any person does. A cookie that comes along tells whose browser it is.
 */
export async function noteMailOpened(platform: Platform, mailId: string, headers: IncomingHttpHeaders): Promise<void> {
  const browser = createOwnCookie(platform.config.publicUrl, "mail", "Lax").read(headers);
  const mail = await findMail(platform, mailId);
  if (mail === undefined || (await countSteps(platform, mailId)) >= stepsMax) return;
  const isAsking =
    browser !== undefined &&
    mail.browser_tag !== null &&
    platform.secrets.isTag(browserPurpose, browser, mail.browser_tag);
  const elsewhere = browser === undefined ? "elsewhere, without a cookie: probably a scanner" : "in another browser";
  const words = isAsking ? "in the browser that asked for it" : elsewhere;
  await insertStep(platform, { mailId, at: platform.clock.now(), step: "opened", words });
}

/** Reads the templates, and gives what empties the outbox. Throws `StartError` when a template is wrong. */
export function openMail(platform: Platform): MailDelivery {
  mailTemplates(platform);
  return createMailDelivery(platform);
}

const purgeStep = 500;

/** Deletes some mails that are over, with their steps and tokens. Returns whether there may be more. */
export async function purgeMails(platform: Pick<Platform, "db" | "clock" | "config">): Promise<boolean> {
  const now = platform.clock.now();
  const before = now - platform.config.mail.keptSeconds * 1000;
  const count = await deleteOldMails(platform, { before, nobodysBefore: now - dayMilliseconds, count: purgeStep });
  return count === purgeStep;
}
