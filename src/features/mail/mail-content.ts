import type { Platform } from "../../platform/platform.ts";
import type { MailRow } from "./mail-store.ts";
import type { WrittenMail } from "./write-mail.ts";

/** What a mail says, as the outbox keeps it until it is sent. */
export type MailContent = WrittenMail & {
  /** What of it lets somebody in. */
  readonly secrets: readonly string[];
};

const purpose = "mail-content";

export function sealContent({ secrets }: Pick<Platform, "secrets">, content: MailContent): Uint8Array {
  return secrets.encrypt(purpose, Buffer.from(JSON.stringify(content)));
}

/** `undefined` when there is none any more, or when it was sealed under another SECRET_KEY: nobody can read it then. */
export function openContent(
  { secrets, log }: Pick<Platform, "secrets" | "log">,
  { id, content_encrypted: sealed }: MailRow,
): MailContent | undefined {
  if (sealed === null) return undefined;
  try {
    // What was sealed came from `sealContent`.
    return JSON.parse(Buffer.from(secrets.decrypt(purpose, sealed)).toString()) as MailContent;
  } catch (error) {
    log.warn({ err: error, mail: id }, "a mail in the outbox does not open under this SECRET_KEY");
    return undefined;
  }
}
