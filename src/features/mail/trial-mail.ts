import type { MailOutcome } from "../../platform/mail/mailer.ts";
import type { Platform } from "../../platform/platform.ts";
import { asciiAddress } from "./mail-address.ts";
import { writeMail } from "./write-mail.ts";

/**
 * Sends a mail that does nothing, at once and past the outbox: to see how the relay takes it. `undefined` where no mail
 * goes out into the world.
 */
export async function sendTrialMail(
  platform: Pick<Platform, "templateFiles" | "config" | "clock" | "mailer">,
  email: string,
): Promise<MailOutcome | undefined> {
  const { mailer, clock } = platform;
  if (mailer === undefined || mailer.inbox !== undefined) return undefined;
  const writtenAt = clock.now();
  const written = writeMail(platform, { kind: "trial", email }, null);
  return mailer.send({ messageId: `trial-${writtenAt}`, writtenAt, to: asciiAddress(email), ...written });
}
