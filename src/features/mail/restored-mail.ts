import type { Platform } from "../../platform/platform.ts";
import { voidEveryMailToken } from "../mail-tokens/mail-tokens.ts";
import { withholdWaitingMails } from "./mail-store.ts";

/**
 * Makes every one-time link and code of a database that was brought back worthless: those used since the backup look
 * unused in it. What waits in its outbox was sent since, as far as anybody knows, and stays unsent. Call it in a
 * transaction; returns how many of each.
 */
export async function voidRestoredMail(
  tx: Pick<Platform, "db" | "clock">,
): Promise<{ readonly tokens: number; readonly mails: number }> {
  const at = tx.clock.now();
  return {
    tokens: await voidEveryMailToken(tx),
    mails: await withholdWaitingMails(tx, at, "its database was restored from a backup"),
  };
}
