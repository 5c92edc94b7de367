import { Readable } from "node:stream";
import MailComposer from "nodemailer/lib/mail-composer";
import SMTPConnection from "nodemailer/lib/smtp-connection";
import type { Config } from "../../config.ts";
import { type MailOutcome, type Mailer, type OutgoingMail, shownWords } from "./mailer.ts";

export type SmtpMailerOptions = Pick<Config["mail"], "from" | "replyTo" | "productName"> & {
  readonly relay: NonNullable<Config["mail"]["relay"]>;
  readonly deadlineMilliseconds?: number;
};

const deadlineMillisecondsDefault = 30_000;
const stepMilliseconds = 10_000;

/** One bare address: what a header or a command could read as more than one never gets as far as the library. */
const bareAddress = /^[a-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@[a-z0-9.-]{1,253}$/i;

/**
 * Hands mail to a relay by SMTP (RFC 5321), a connection for each.
 *
 * Addresses are objects everywhere, and the envelope is given by itself: a text would be parsed, and
 * `"b@x\r\nBcc: evil@x"` once went to evil@x (CVE-2025-13033). A password is only sent over TLS with a certificate that
 * holds, except to this machine itself.
 */
export function createSmtpMailer(options: SmtpMailerOptions): Mailer {
  return {
    inbox: undefined,
    send: async (mail, signal) => {
      if (!bareAddress.test(mail.to)) return { kind: "refused", words: "the recipient is no bare address" };
      const deadline = AbortSignal.timeout(options.deadlineMilliseconds ?? deadlineMillisecondsDefault);
      const handing = handOver(options, await compose(options, mail), mail.to);
      const stop = signal ? AbortSignal.any([signal, deadline]) : deadline;
      const giveUp = (): void => handing.giveUp(deadline.aborted ? "no answer in time" : "this server is stopping");
      stop.addEventListener("abort", giveUp, { once: true });
      if (stop.aborted) giveUp();
      try {
        return await handing.outcome;
      } finally {
        stop.removeEventListener("abort", giveUp);
      }
    },
  };
}

async function compose({ from, replyTo, productName }: SmtpMailerOptions, mail: OutgoingMail): Promise<Buffer> {
  const composer = new MailComposer({
    from: { name: productName, address: from },
    to: { name: "", address: mail.to },
    ...(replyTo === undefined ? {} : { replyTo: { name: "", address: replyTo } }),
    subject: mail.subject,
    text: mail.text,
    html: mail.html,
    messageId: `<${mail.messageId}@${from.slice(from.lastIndexOf("@") + 1)}>`,
    date: new Date(mail.writtenAt),
    // No answer from a machine, please (RFC 3834 §5).
    headers: { "Auto-Submitted": "auto-generated" },
    disableFileAccess: true,
    disableUrlAccess: true,
    newline: "win",
  });
  return composer.compile().build();
}

type Handing = { readonly outcome: Promise<MailOutcome>; readonly giveUp: (why: string) => void };

function handOver(options: SmtpMailerOptions, message: Buffer, to: string): Handing {
  const { relay, from } = options;
  const { promise: outcome, resolve } = Promise.withResolvers<MailOutcome>();
  const connection = new SMTPConnection(connectionOptions(relay));
  let wasSentWhole = false;
  const end = (result: MailOutcome): void => {
    resolve(result);
    connection.close();
  };
  const fail = (error: SmtpError): void => end(outcomeOf(error, wasSentWhole));
  connection.once("error", fail);
  connection.on("error", () => undefined); // What comes after the first is of no interest, and must not be thrown.
  const send = (): void => {
    // The library begins to read it when the relay asks for it, so its end is the end of what we say.
    const body = Readable.from([message]).once("end", () => (wasSentWhole = true));
    connection.send({ from: { address: from }, to: [{ address: to }], size: message.length }, body, (error, info) => {
      if (error) fail(error);
      else end({ kind: "accepted", words: shownWords(info.response) });
    });
  };
  connection.connect((error) => {
    if (error) fail(error);
    else if (relay.user === undefined) send();
    else {
      const credentials = { user: relay.user, pass: relay.password };
      connection.login({ credentials }, (refusal) => (refusal ? fail(refusal) : send()));
    }
  });
  return { outcome, giveUp: (why) => end({ kind: wasSentWhole ? "uncertain" : "deferred", words: why }) };
}

function connectionOptions({ host, port, isTls, user }: SmtpMailerOptions["relay"]): object {
  return {
    host,
    port,
    secure: isTls,
    requireTLS: !isTls && user !== undefined && !thisMachine.test(host),
    // Pretending to have no TLS is what an attacker in the middle does: it fails then, where a password is at stake.
    connectionTimeout: stepMilliseconds,
    greetingTimeout: stepMilliseconds,
    dnsTimeout: stepMilliseconds,
    socketTimeout: 2 * stepMilliseconds,
    socketCloseTimeout: 1_000,
    maxResponseSize: 64 * 1024,
    tls: { minVersion: "TLSv1.2" },
  };
}

const thisMachine = /^(?:localhost|127(?:\.\d{1,3}){3}|::1)$/i;

type SmtpError = Error & {
  readonly code?: string | undefined;
  readonly response?: string | undefined;
  readonly responseCode?: number | undefined;
  readonly permanent?: boolean | undefined;
  readonly command?: string | undefined;
};

/** The commands whose refusal is about this mail, not about the connection, the password or the relay's health. */
const commandsAboutMail: ReadonlySet<string> = new Set(["MAIL FROM", "RCPT TO", "DATA"]);

function outcomeOf(error: SmtpError, wasSentWhole: boolean): MailOutcome {
  // Of a failed STARTTLS the relay's words alone would not tell what failed.
  const words = shownWords(error.code === "ETLS" ? error.message : (error.response ?? error.message));
  if (error.responseCode === undefined) return { kind: wasSentWhole ? "uncertain" : "deferred", words };
  const isForGood = error.permanent === true && commandsAboutMail.has(error.command ?? "");
  return { kind: isForGood ? "refused" : "deferred", words };
}
