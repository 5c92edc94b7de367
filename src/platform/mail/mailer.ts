/** A mail that is ready to go, to exactly one address. */
export type OutgoingMail = {
  /** The same at each try, so that a relay or a mailbox can tell a mail that came twice. */
  readonly messageId: string;
  /** When it was written, milliseconds since the epoch. */
  readonly writtenAt: number;
  /** One bare address in ASCII, as it is stored. */
  readonly to: string;
  readonly subject: string;
  readonly text: string;
  readonly html: string;
};

/**
 * How a try to hand a mail over ended, with the other side's words.
 *
 * - `accepted`: the other side has it.
 * - `deferred`: it has it not; it may take it later.
 * - `refused`: it has it not, and never takes it.
 * - `uncertain`: it was sent to its end and no answer came. The other side may have it, so another try may double it.
 */
export type MailOutcome = { readonly kind: "accepted" | "deferred" | "refused" | "uncertain"; readonly words: string };

/** Brings mail on its way. */
export type Mailer = {
  /** Tries once, within its own deadline. Does not throw. */
  readonly send: (mail: OutgoingMail, signal?: AbortSignal) => Promise<MailOutcome>;
  /** What was sent, when this server is where it ends; `undefined` when it goes out into the world. */
  readonly inbox: MailInbox | undefined;
};

export type MailInbox = {
  /** The newest first. */
  readonly mails: () => readonly OutgoingMail[];
  readonly clear: () => Promise<void>;
};

const wordsLengthMax = 300;

/** What another server said, as logs and pages may show it. */
export function shownWords(words: string): string {
  return words
    .replaceAll(/[\p{Cc}\p{Cf}\s]+/gu, " ")
    .trim()
    .slice(0, wordsLengthMax);
}
