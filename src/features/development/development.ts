import type { Role } from "../../contract/permissions.ts";
import type { AccountRow } from "../../platform/database/tables.ts";
import { inTransaction } from "../../platform/database/transaction.ts";
import type { RequestOrigin } from "../../platform/http/route.ts";
import type { Platform } from "../../platform/platform.ts";
import { discardAccount } from "../accounts/accounts.ts";
import { hashNewPassword, newRandomPassword } from "../passwords/passwords.ts";
import type { Sessions, TokensBody } from "../sessions/sessions.ts";
import { enterNewAccount } from "../sign-in/sign-in.ts";
import { insertThrowaway, listThrowaways, listThrowawaysBefore } from "./throwaway-accounts-store.ts";

export const throwawaysMax = 20;
const lifetimeMilliseconds = 3_600_000;

export type Throwaway = { readonly account: AccountRow; readonly password: string; readonly tokens: TokensBody };

/**
 * An account for trying out, signed in, with a password that is told once. Beyond the number that may live at once the
 * oldest ones go; an hour later this one goes too, whatever time the turnable clock shows.
 *
 * @throws Problem `busy`
 */
export async function makeThrowaway(
  platform: Platform,
  sessions: Sessions,
  role: Role,
  origin: RequestOrigin,
): Promise<Throwaway> {
  const password = newRandomPassword(platform);
  const passwordHash = await hashNewPassword(platform, password);
  // example.com belongs to nobody and takes no mail (RFC 2606 §3).
  const email = `lab-${platform.secrets.uuid()}@example.com`;
  return inTransaction(platform, async (tx) => {
    const entered = await enterNewAccount(tx, sessions, { email, passwordHash, role, by: "lab", origin });
    await insertThrowaway(tx, entered.account.id, tx.realClock.now());
    for (const id of (await listThrowaways(tx)).slice(throwawaysMax)) await discardAccount(tx, id, "throw-away");
    return { ...entered, password };
  });
}

/**
 * Deletes the throw-away accounts whose time is over. In production that is all of them: a database that was played
 * with may become a real one, and nobody's test administrator may come along. Never more than `throwawaysMax`.
 */
export async function purgeThrowaways(platform: Platform): Promise<boolean> {
  const isDevelopment = platform.config.mode === "development";
  const before = isDevelopment ? platform.realClock.now() - lifetimeMilliseconds : Number.MAX_SAFE_INTEGER;
  if ((await listThrowawaysBefore(platform, before)).length === 0) return false; // No write lock for nothing.
  await inTransaction(platform, async (tx) => {
    for (const id of await listThrowawaysBefore(tx, before)) await discardAccount(tx, id, "throw-away");
  });
  return false;
}
