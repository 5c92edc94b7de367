import type { OutgoingMail } from "../../src/platform/mail/mailer.ts";

/** What a person finds in a mail. */
export type ReadMail = {
  readonly to: string;
  readonly subject: string;
  readonly text: string;
  readonly html: string;
  /** Of the button's link; empty where there is none. */
  readonly page: string;
  readonly mailId: string;
  readonly token: string;
  readonly code: string;
};

export function readMail({ to, subject, text, html }: Omit<OutgoingMail, "messageId" | "writtenAt">): ReadMail {
  const [, page = "", mailId = "", token = ""] =
    /^https?:\/\/[^/\s]+(\/mail\/[a-z-]+)\?m=([\w-]+)&l=[\w-]+#(\S+)$/m.exec(text) ?? [];
  const [, code = ""] = /^ {4}([0-9A-Z]{4}-[0-9A-Z]{4})$/m.exec(text) ?? [];
  return { to, subject, text, html, page, mailId, token, code };
}
