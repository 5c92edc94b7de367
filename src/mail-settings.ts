import { setting } from "./setting.ts";
import { type Parsed, parseHost } from "./setting-parsers.ts";

/** The server that takes our mail and brings it on. */
export type SmtpRelay = {
  readonly host: string;
  readonly port: number;
  /** TLS from the first byte (smtps); else STARTTLS. */
  readonly isTls: boolean;
  readonly user: string | undefined;
  readonly password: string | undefined;
};

/** What mail is sent through, from whom and in whose name. */
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
};

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
