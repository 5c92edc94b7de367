/**
 * The texts of one mail. `{name}` is put in when it is written: {product}, {email}, {newEmail}, {lifetime} and, about the
 * request that caused it, {time}, {device} and {address}.
 */
export type MailText = {
  readonly subject: string;
  readonly title: string;
  readonly paragraphs: readonly string[];
  /** What the button says, in mails that have one. */
  readonly button?: string;
  /** Below the button. */
  readonly after?: readonly string[];
};

/** Every mail there is, and the words that all share. */
export type MailTexts = {
  readonly mails: Readonly<Record<MailKind, MailText>>;
  readonly layout: {
    /** {lifetime}: how long the button is good for. */
    readonly buttonIsGoodFor: string;
    readonly linkInstead: string;
    /** {lifetime}: how long the code is good for. */
    readonly codeInstead: string;
    /** Where a mail was asked for, or what it tells of happened. {time}, {device}, {address} */
    readonly asked: string;
    readonly happened: string;
    /** {product}, {email} */
    readonly why: string;
    /** {replyTo} */
    readonly questions: string;
  };
  readonly unknownDevice: string;
  /** {program}, {system} */
  readonly programOnSystem: string;
};

export const mailKinds = [
  "verify-email",
  "account-exists",
  "reset-password",
  "sign-in",
  "change-email",
  "email-changed",
  "email-confirmed",
  "new-device",
  "password-changed",
  "refresh-reused",
  "trial",
] as const;
export type MailKind = (typeof mailKinds)[number];
