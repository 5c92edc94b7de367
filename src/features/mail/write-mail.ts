import type { Platform } from "../../platform/platform.ts";
import { deviceWords } from "./device-words.ts";
import { asHtml, asText, type MailParts } from "./mail-layout.ts";
import { mailTemplates } from "./mail-templates.ts";
import type { MailKind, MailText, MailTexts } from "./mail-texts.ts";

/** What a mail is about. */
export type Letter = {
  readonly kind: MailKind;
  /** The address of the account it is about. */
  readonly email: string;
  readonly newEmail?: string;
  /** The request that caused it. */
  readonly cause?: { readonly at: number; readonly address: string; readonly userAgent: string | null };
  readonly link?: { readonly address: string; readonly lifetimeSeconds: number | undefined };
  readonly code?: { readonly shown: string; readonly lifetimeSeconds: number };
};

export type WrittenMail = { readonly subject: string; readonly text: string; readonly html: string };

/** Writes a mail in the reader's language, or in MAIL_LOCALE where that is not known or not ours. */
export function writeMail(
  platform: Pick<Platform, "templateFiles" | "config">,
  letter: Letter,
  locale: string | null,
): WrittenMail {
  const { texts, layout } = mailTemplates(platform);
  const language = languageOfMail(platform, locale);
  const own = texts.get(language);
  if (own === undefined) throw new Error(`There are no mails in ${language}.`);
  const facts = factsOf(platform, letter, language, own);
  const parts = partsOf(platform, { letter, language, texts: own, facts });
  return { subject: fill(own.mails[letter.kind].subject, facts), text: asText(parts), html: asHtml(layout, parts) };
}

/** The language that a mail to somebody is written in. */
export function languageOfMail(platform: Pick<Platform, "templateFiles" | "config">, locale: string | null): string {
  return languageFor([...mailTemplates(platform).texts.keys()], locale, platform.config.mail.locale);
}

/** The language that fits best, by dropping from the end what is too special (RFC 4647 §3.4): `de-AT` reads `de`. */
function languageFor(languages: readonly string[], wanted: string | null, otherwise: string): string {
  for (let range = wanted ?? ""; range !== ""; range = range.slice(0, Math.max(0, range.lastIndexOf("-")))) {
    const found = languages.find((language) => language.toLowerCase() === range.toLowerCase());
    if (found !== undefined) return found;
  }
  return otherwise;
}

const askedFor: ReadonlySet<MailKind> = new Set<MailKind>([
  "verify-email",
  "account-exists",
  "reset-password",
  "sign-in",
  "change-email",
]);

type Facts = Readonly<Record<string, string>>;

function factsOf(
  { config }: Pick<Platform, "config">,
  { email, newEmail = "", cause }: Letter,
  language: string,
  texts: MailTexts,
): Facts {
  const dateFormat = new Intl.DateTimeFormat(language, { dateStyle: "long", timeStyle: "short", timeZone: "UTC" });
  return {
    product: config.mail.productName,
    email,
    newEmail,
    replyTo: config.mail.replyTo ?? "",
    time: cause ? `${dateFormat.format(cause.at)} UTC` : "",
    address: cause?.address ?? "",
    device: deviceWords(cause?.userAgent ?? null, texts),
  };
}

function fill(text: string, facts: Facts): string {
  return text.replaceAll(/\{(\w+)\}/g, (placeholder, name: string) => facts[name] ?? placeholder);
}

function partsOf(
  { config }: Pick<Platform, "config">,
  writing: {
    readonly letter: Letter;
    readonly language: string;
    readonly texts: MailTexts;
    readonly facts: Facts;
  },
): MailParts {
  const { letter, language, texts, facts } = writing;
  const { layout, mails } = texts;
  const { title, paragraphs, button: label, after = [] }: MailText = mails[letter.kind];
  const within = (text: string, seconds: number): string =>
    fill(text, { ...facts, lifetime: durationWords(seconds, language) });
  const { link, code } = letter;
  const goodFor = link?.lifetimeSeconds === undefined ? "" : within(layout.buttonIsGoodFor, link.lifetimeSeconds);
  return {
    language,
    product: config.mail.productName,
    home: config.publicUrl,
    title: fill(title, facts),
    paragraphs: paragraphs.map((text) => fill(text, facts)),
    button: link && label ? { label, link: link.address, goodFor, instead: layout.linkInstead } : undefined,
    code: code && { shown: code.shown, note: within(layout.codeInstead, code.lifetimeSeconds) },
    after: after.map((text) => fill(text, facts)),
    footer: [
      ...(letter.cause ? [fill(askedFor.has(letter.kind) ? layout.asked : layout.happened, facts)] : []),
      fill(layout.why, facts),
      ...(config.mail.replyTo === undefined ? [] : [fill(layout.questions, facts)]),
    ],
  };
}

const units = [
  ["days", 86_400],
  ["hours", 3600],
  ["minutes", 60],
  ["seconds", 1],
] as const;

/** "30 minutes", "7 days": in the largest units that make it whole. */
function durationWords(seconds: number, language: string): string {
  let left = seconds;
  const duration: Partial<Record<(typeof units)[number][0], number>> = {};
  for (const [unit, length] of units) {
    const count = Math.floor(left / length);
    left -= count * length;
    if (count > 0) duration[unit] = count;
  }
  return new Intl.DurationFormat(language, { style: "long" }).format(duration);
}
