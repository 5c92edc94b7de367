import type { Events } from "../../contract/events.ts";
import { Problem } from "../../contract/problems.ts";
import type { AccountRow } from "../../platform/database/tables.ts";
import { inTransaction } from "../../platform/database/transaction.ts";
import type { Caller } from "../../platform/http/access.ts";
import type { RequestOrigin } from "../../platform/http/route.ts";
import type { Platform } from "../../platform/platform.ts";
import { addAccount, emailKey, findAccountOf } from "../accounts/accounts.ts";
import { recordEvent } from "../audit/audit.ts";
import { findUnchanged, hashNewPassword, provePassword } from "../passwords/passwords.ts";
import {
  markReauthenticated,
  startSession,
  type Sessions,
  type StartedSession,
  type TokensBody,
} from "../sessions/sessions.ts";
import { signInSteps } from "./sign-in-steps.ts";

export type Credentials = { readonly email: string; readonly password: string };

/** The one door: whatever was proved, a session starts here and nowhere else. Call it in a transaction. */
async function openDoor(
  tx: Platform,
  account: AccountRow,
  method: Events["session/started"]["method"],
  origin: RequestOrigin,
): Promise<StartedSession> {
  for (const step of signInSteps) step(account);
  return startSession(tx, account, method, origin);
}

/**
 * Makes an account and signs it in: both or neither.
 *
 * @throws Problem `email-taken`, `busy`
 */
export async function signUp(
  platform: Platform,
  sessions: Sessions,
  { email, password }: Credentials,
  origin: RequestOrigin,
): Promise<{ readonly account: AccountRow; readonly tokens: TokensBody }> {
  // Saves the hash. Who gets past here at the same time is told apart by the unique index.
  if (await findAccountOf(platform, email)) throw new Problem("email-taken");
  const passwordHash = await hashNewPassword(platform, password);
  const { account, session } = await inTransaction(platform, async (tx) => {
    const account = await addAccount(tx, { email, passwordHash, role: "user", by: "sign-up", origin });
    return { account, session: await openDoor(tx, account, "sign-up", origin) };
  });
  return { account, tokens: await sessions.issueTokens(account, session) };
}

/**
 * Signs in with a password. An unknown address costs the same hash and gets the same answer as a wrong password.
 *
 * @throws Problem `wrong-credentials`, `account-disabled`, `too-many-requests`, `busy`
 */
export async function logIn(
  platform: Platform,
  sessions: Sessions,
  { email, password }: Credentials,
  origin: RequestOrigin,
): Promise<TokensBody> {
  const found = await findAccountOf(platform, email);
  const proved = await provePassword(platform, found, password, `email:${emailKey(email)}`);
  if (proved === undefined) throw new Problem("wrong-credentials");
  const { account, session } = await inTransaction(platform, async (tx) => {
    const account = await findUnchanged(tx, proved);
    if (account === undefined) throw new Problem("wrong-credentials");
    return { account, session: await openDoor(tx, account, "password", origin) };
  });
  return sessions.issueTokens(account, session);
}

/**
 * Gives the password again: the session is fresh, for what cannot be undone.
 *
 * @throws Problem `wrong-password`, `too-many-requests`, `busy`
 */
export async function reauthenticate(
  platform: Platform,
  caller: Caller,
  password: string,
  origin: RequestOrigin,
): Promise<void> {
  const { sessionId } = caller;
  const proved = await provePassword(platform, caller.account, password, `session:${sessionId}`);
  if (proved === undefined) throw new Problem("wrong-password");
  await inTransaction(platform, async (tx) => {
    const account = await findUnchanged(tx, proved);
    if (account === undefined) throw new Problem("wrong-password");
    await markReauthenticated(tx, sessionId);
    await recordEvent(tx, {
      type: "session/reauthenticated",
      payload: { session_id: sessionId },
      actorId: account.id,
      accountId: account.id,
      requestId: origin.requestId,
      address: origin.address,
    });
  });
}
