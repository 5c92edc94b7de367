import type { Platform } from "../../platform/platform.ts";
import type { MailKind } from "./mail-texts.ts";
import { type WrittenMail, writeMail } from "./write-mail.ts";

const sampleUserAgent = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";

/** A mail with made-up facts: to be looked at. Its link leads nowhere. */
export function sampleMail(
  platform: Pick<Platform, "templateFiles" | "config" | "clock">,
  kind: MailKind,
  locale: string | null,
): WrittenMail {
  const { publicUrl, mail } = platform.config;
  return writeMail(
    platform,
    {
      kind,
      email: "alice@example.com",
      newEmail: "alice.liddell@a-rather-long-name-of-a-host.example.com",
      cause: { at: platform.clock.now(), address: "2001:db8:85a3:8d3:1319:8a2e:370:7348", userAgent: sampleUserAgent },
      link: { address: `${publicUrl}/mail/sample?m=${"s".repeat(22)}#tgm_${"s".repeat(43)}`, lifetimeSeconds: 1800 },
      code: { shown: "ABCD-EFGH", lifetimeSeconds: mail.codeLifetimeSeconds },
    },
    locale,
  );
}
