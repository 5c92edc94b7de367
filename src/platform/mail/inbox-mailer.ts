import type { Mailer, OutgoingMail } from "./mailer.ts";

/** Keeps the last mails in the memory of this process: what development has instead of a relay. */
export function createInboxMailer({
  mailsMax,
  before = [],
}: {
  readonly mailsMax: number;
  /** What is in it from the beginning, the newest first. */
  readonly before?: readonly OutgoingMail[];
}): Mailer {
  let mails: readonly OutgoingMail[] = before;
  return {
    send: async (mail) => {
      mails = [mail, ...mails].slice(0, mailsMax);
      return { kind: "accepted", words: "kept in the development inbox" };
    },
    inbox: {
      mails: () => mails,
      clear: async () => {
        mails = [];
      },
    },
  };
}
