import type { Config } from "../config.ts";
import { parseEmailAddress } from "../features/accounts/email-address.ts";
import { sendTrialMail } from "../features/mail/trial-mail.ts";
import { systemClock } from "../platform/clock.ts";
import type { MailOutcome } from "../platform/mail/mailer.ts";
import { readTemplateFiles } from "../platform/mail/template-files.ts";
import { createTxtLookup } from "../platform/mail/txt-lookup.ts";
import { createMailer } from "../platform/platform.ts";
import { StartError } from "../platform/start-error.ts";
import { type Check, failed } from "./check.ts";
import { checkMailDomain } from "./doctor-mail-domain.ts";

export type MailTrial = {
  /** Where the trial goes. */
  readonly to: string;
  readonly dkimSelector: string | undefined;
  /** Asked for DNS in place of the servers that this machine asks. */
  readonly dnsServers: readonly string[] | undefined;
};

const name = "mail";

/** Sends one mail and tells what the relay said; and whether the domain it comes from is set up to be believed. */
export async function checksOfMail(config: Config, { to, dkimSelector, dnsServers }: MailTrial): Promise<Check[]> {
  const lookUp = createTxtLookup({ servers: dnsServers });
  const sent = await checkSending(config, to);
  return [sent, ...(config.mail.relay ? await checkMailDomain(config.mail.from, dkimSelector, lookUp) : [])];
}

async function checkSending(config: Config, to: string): Promise<Check> {
  const address = parseEmailAddress(to);
  const { relay, templatesDirectory } = config.mail;
  if (address === undefined) return failed(name, `${to} is no e-mail address that an account could have.`);
  try {
    const templateFiles = readTemplateFiles(templatesDirectory);
    const platform = { config, clock: systemClock, mailer: await createMailer(config), templateFiles };
    const outcome = await sendTrialMail(platform, address.typed);
    if (relay !== undefined && outcome !== undefined)
      return judge(`${relay.host}:${relay.port}`, address.typed, outcome);
    const found =
      "Nothing was sent: without SMTP_URL mail stays in /dev/inbox in development, and is not sent in production.";
    return failed(name, found, "Set SMTP_URL and MAIL_FROM.");
  } catch (error) {
    if (error instanceof StartError) return failed(name, error.message);
    throw error;
  }
}

function judge(place: string, to: string, { kind, words }: MailOutcome): Check {
  switch (kind) {
    case "accepted":
      return { name, state: "ok", found: `${place} took a trial for ${to} and said: ${words}` };
    case "uncertain":
      return {
        name,
        state: "warning",
        found: `${place} may have a trial for ${to}: ${words}.`,
        cure: "Look into the mailbox.",
      };
    case "deferred":
    case "refused":
      return failed(name, `${place} did not take a trial for ${to}: ${words}.`, cureFor(words));
  }
}

/** From the words of the relay, of TLS or of this machine's network to what the reader can do about them. */
const cures: readonly (readonly [RegExp, string])[] = [
  [/ECONNREFUSED|closed unexpectedly/i, "Start the relay, or set SMTP_URL to where it listens."],
  [/ENOTFOUND|EAI_AGAIN|EDNS/, "There is no such host, or its name cannot be looked up: correct SMTP_URL."],
  [
    /\b53[45]\b|authenticat|credential/i,
    "Correct the user and password in SMTP_URL; write % @ : / in them as %25 %40 %3A %2F.",
  ],
  [
    /STARTTLS|certificate|TLS|SSL|self.signed/i,
    "Name the host that its certificate is for, and the authority that signed it in NODE_EXTRA_CA_CERTS; smtps:// is TLS from the start.",
  ],
  [/time/i, "Find out whether this machine may reach that port: many networks close 25, and let 465 or 587 through."],
];

function cureFor(words: string): string {
  return cures.find(([pattern]) => pattern.test(words))?.[1] ?? "Ask whoever runs the relay, with these words.";
}
