import { resolve } from "node:path";
import { type Mode, type Setting, setting } from "./setting.ts";
import { type Parsed, parseHost, parseSeconds, parseWord } from "./setting-parsers.ts";

/** The server that takes our mail and brings it on. */
type SmtpRelay = {
  readonly host: string;
  readonly port: number;
  /** TLS from the first byte (smtps); else STARTTLS. */
  readonly isTls: boolean;
  readonly user: string | undefined;
  readonly password: string | undefined;
};

const emailVerifications = ["off", "optional", "required"] as const;
const switches = ["on", "off"] as const;

/** What mail is sent through, from whom and in whose name, in which flows, and for how long it is good. */
export const mailSettings = {
  relay: setting({
    name: "SMTP_URL",
    meaning:
      "The server that takes our mail. Without it development keeps mail in its own inbox, and production sends none.",
    bounds:
      "smtp://USER:PASSWORD@HOST:PORT (STARTTLS, demanded where there is a password) or smtps://… (TLS from the start)",
    example: "smtps://user:password@mail.example.com",
    secret: true,
    defaultShown: "none",
    otherwise: "",
    parse: parseSmtpUrl,
  }),
  from: setting({
    name: "MAIL_FROM",
    meaning: "The address that mail comes from; must be set where SMTP_URL is.",
    bounds: "one bare e-mail address",
    example: "accounts@example.com",
    otherwise: "tollgate@localhost",
    parse: parseMailAddress,
  }),
  replyTo: setting({
    name: "MAIL_REPLY_TO",
    meaning: "The address that answers go to, also named in each mail for questions.",
    bounds: "one bare e-mail address",
    example: "help@example.com",
    defaultShown: "none",
    otherwise: "",
    parse: (text): Parsed<string | undefined> => (text === "" ? { value: undefined } : parseMailAddress(text)),
  }),
  productName: setting({
    name: "PRODUCT_NAME",
    meaning: "What people know this service as: the sender's name and the name in every mail.",
    bounds: "1 to 60 characters",
    example: "Example",
    otherwise: "Tollgate",
    parse: parseProductName,
  }),
  locale: setting({
    name: "MAIL_LOCALE",
    meaning:
      "The language of mail to people whose own is not known, or not among ours (en, de, and those of MAIL_TEMPLATES).",
    bounds: "a language tag (BCP 47)",
    example: "en",
    otherwise: "en",
    parse: parseLocale,
  }),
  templates: setting({
    name: "MAIL_TEMPLATES",
    meaning: "A directory with texts and a layout of your own: see docs/mail.md.",
    bounds: "the path of a directory",
    example: "./mail-templates",
    defaultShown: "none",
    otherwise: "",
    parse: (text): Parsed<string | undefined> => ({ value: text === "" ? undefined : resolve(text) }),
  }),
  kept: setting({
    name: "MAIL_KEPT",
    meaning: "How long the timeline of a mail is kept; its content goes as soon as it is sent.",
    bounds: "14d to 365d",
    example: "30d",
    otherwise: "30d",
    parse: (text) => parseSeconds(text, "14d", "365d"),
  }),
  emailVerification: setting({
    name: "EMAIL_VERIFICATION",
    meaning:
      "Whether a new account is asked to show that its address is its own. With required nobody signs in before, and a sign-up answers everybody the same.",
    bounds: emailVerifications.join(", "),
    example: "required",
    defaultShown: "optional; without mail off",
    otherwise: ({ hasMail }) => (hasMail ? "optional" : "off"),
    parse: (text) => parseWord(text, emailVerifications),
  }),
  signInByMail: setting({
    name: "SIGN_IN_BY_MAIL",
    meaning: "Whether people may sign in with a link or a code that is mailed to them (POST /auth/magic).",
    bounds: switches.join(", "),
    example: "on",
    otherwise: "off",
    parse: (text) => parseWord(text, switches),
  }),
  verifyLifetime: lifetime("VERIFY_EMAIL_LIFETIME", "1d", "the link that confirms an address", "5m", "14d"),
  resetLifetime: lifetime("RESET_PASSWORD_LIFETIME", "30m", "the link to choose a new password", "5m", "1d"),
  changeLifetime: lifetime("CHANGE_EMAIL_LIFETIME", "1h", "the link that confirms another address", "5m", "1d"),
  signInLifetime: lifetime("SIGN_IN_LINK_LIFETIME", "10m", "the link to sign in", "1m", "1h"),
  notMeLifetime: lifetime("NOT_ME_LIFETIME", "7d", '"This was not me" in a notice', "1h", "14d"),
  undoLifetime: lifetime("UNDO_EMAIL_CHANGE_LIFETIME", "7d", "the way back from another address", "1d", "14d"),
  codeLifetime: lifetime("MAIL_CODE_LIFETIME", "10m", "a code in a mail", "1m", "10m"),
};

/** How long something in a mail is good for. */
function lifetime(name: string, otherwise: string, what: string, min: string, max: string): Setting<number> {
  return setting({
    name,
    meaning: `How long ${what} is good for.`,
    bounds: `${min} to ${max}`,
    example: otherwise,
    otherwise,
    parse: (text) => parseSeconds(text, min, max),
  });
}

const defaultPorts = { "smtp:": 587, "smtps:": 465 } as const;

function parseSmtpUrl(text: string): Parsed<SmtpRelay | undefined> {
  if (text === "") return { value: undefined };
  const fault = { fault: "must be smtp:// or smtps:// with a host, and with a user and a password or neither" };
  if (!URL.canParse(text)) return fault;
  const { protocol, hostname, port, username, password, pathname, search, hash } = new URL(text);
  if (protocol !== "smtp:" && protocol !== "smtps:") return fault;
  const isBare = /^\/?$/.test(pathname) && search === "" && hash === "";
  if (!isBare || (username === "") !== (password === "") || port === "0") return fault;
  const host = hostname.replace(/^\[(.*)\]$/, "$1");
  if ("fault" in parseHost(host)) return fault;
  const credentials = [username, password].map(decode);
  if (credentials.some((part) => part === undefined || /\p{Cc}/u.test(part))) return fault;
  return {
    value: {
      host,
      port: port === "" ? defaultPorts[protocol] : Number(port),
      isTls: protocol === "smtps:",
      user: credentials[0] || undefined,
      password: credentials[1] || undefined,
    },
  };
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

/** The sender is ours to choose, so a plain form is enough; no list, no display name, no quotes (CVE-2025-13033). */
function parseMailAddress(text: string): Parsed<string> {
  const isAddress = /^[a-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63})*$/i.test(text);
  return isAddress && text.length <= 254
    ? { value: text }
    : { fault: "must be one e-mail address in ASCII, without a name" };
}

function parseProductName(text: string): Parsed<string> {
  const isName =
    text.trim() === text && [...text].length <= 60 && text.isWellFormed() && !/[\p{Cc}\p{Cf}<>]/u.test(text);
  return isName ? { value: text } : { fault: "must have 1 to 60 characters, none of them < or >" };
}

function parseLocale(text: string): Parsed<string> {
  return /^[a-z]{2,3}(?:-[A-Za-z0-9]{2,8})*$/.test(text) && text.length <= 35
    ? { value: text }
    : { fault: "must be a language tag, as en or de-AT" };
}

export type MailConfig = {
  /** undefined: development keeps mail in its own inbox, production sends none. */
  readonly relay: SmtpRelay | undefined;
  readonly from: string;
  readonly replyTo: string | undefined;
  readonly productName: string;
  readonly locale: string;
  readonly templatesDirectory: string | undefined;
  readonly keptSeconds: number;
  readonly emailVerification: (typeof emailVerifications)[number];
  readonly signInByMail: boolean;
  /** How long a link is good for, by what it is for. */
  readonly lifetimesSeconds: Readonly<
    Record<"verify-email" | "reset-password" | "change-email" | "sign-in" | "not-me" | "undo-email-change", number>
  >;
  readonly codeLifetimeSeconds: number;
};

/** Reads them in their order; `learn` is told whether mail goes anywhere before what hangs on it is read. */
export function readMail(
  read: <T>(setting: Setting<T>) => T,
  learn: (known: { readonly hasMail: boolean }) => void,
  mode: Mode,
): MailConfig {
  const relay = read(mailSettings.relay);
  learn({ hasMail: relay !== undefined || mode === "development" });
  return {
    relay,
    from: read(mailSettings.from),
    replyTo: read(mailSettings.replyTo),
    productName: read(mailSettings.productName),
    locale: read(mailSettings.locale),
    templatesDirectory: read(mailSettings.templates),
    keptSeconds: read(mailSettings.kept),
    emailVerification: read(mailSettings.emailVerification),
    signInByMail: read(mailSettings.signInByMail) === "on",
    lifetimesSeconds: {
      "verify-email": read(mailSettings.verifyLifetime),
      "reset-password": read(mailSettings.resetLifetime),
      "change-email": read(mailSettings.changeLifetime),
      "sign-in": read(mailSettings.signInLifetime),
      "not-me": read(mailSettings.notMeLifetime),
      "undo-email-change": read(mailSettings.undoLifetime),
    },
    codeLifetimeSeconds: read(mailSettings.codeLifetime),
  };
}

/** What does not go together: a relay without a sender, and promises without a relay. */
export function mailFaults(
  env: Readonly<Record<string, string | undefined>>,
  { mode, mail }: { readonly mode: Mode; readonly mail: MailConfig },
): string[] {
  if (mail.relay !== undefined) {
    // No relay takes mail from an address that nobody owns.
    const isMissing = (env[mailSettings.from.name] ?? "") === "";
    return isMissing ? ["MAIL_FROM must be set where SMTP_URL is: write MAIL_FROM=accounts@example.com."] : [];
  }
  if (mode === "development") return [];
  const { emailVerification, signInByMail } = mailSettings;
  const needs = [
    ...(mail.emailVerification === "off" ? [] : [[emailVerification.name, mail.emailVerification]]),
    ...(mail.signInByMail ? [[signInByMail.name, "on"]] : []),
  ];
  return needs.map(([name, value]) => `${name}=${value} needs mail: set SMTP_URL and MAIL_FROM, or write ${name}=off.`);
}
