import { createInboxMailer } from "../mail/inbox-mailer.ts";
import type { Mailer, OutgoingMail } from "../mail/mailer.ts";
import type { PrimaryLink } from "./primary-link.ts";

/** The development inbox of all workers: each has all mails, whoever sent them. */
export function createPrimaryInbox(
  link: PrimaryLink,
  { mailsMax, before }: { readonly mailsMax: number; readonly before: readonly OutgoingMail[] },
): Mailer {
  const own = createInboxMailer({ mailsMax, before });
  link.hear((tidings) => {
    if (tidings.about === "mail") void own.send(tidings.mail);
    if (tidings.about === "mails-cleared") void own.inbox?.clear();
  });
  return {
    send: async (mail) => {
      await link.ask("keep-mail", mail);
      return { kind: "accepted", words: "kept in the development inbox" };
    },
    inbox: { mails: () => own.inbox?.mails() ?? [], clear: async () => void (await link.ask("clear-mails", null)) },
  };
}
