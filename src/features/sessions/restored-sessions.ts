import type { Platform } from "../../platform/platform.ts";
import { openKeyring } from "./signing-keys.ts";
import { endEveryLivingSession } from "./sessions-store.ts";

/**
 * Ends all sessions of a database that was brought back. Refresh tokens that were used since the backup look unused in
 * it, and sessions that were ended since look alive: nobody can tell which. Call it in a transaction; returns how many.
 */
export async function endRestoredSessions(tx: Pick<Platform, "db" | "clock">): Promise<number> {
  return await endEveryLivingSession(tx, { at: tx.clock.now(), reason: "restored" });
}

/**
 * Opens the signing keys that came with the backup.
 *
 * @throws StartError when they were made under another SECRET_KEY
 */
export async function refuseOtherSecret(
  platform: Pick<Platform, "db" | "secrets" | "clock" | "config">,
): Promise<void> {
  await openKeyring(platform);
}
