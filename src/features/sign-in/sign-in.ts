import type { Events } from "../../contract/events.ts";
import { Problem } from "../../contract/problems.ts";
import type { AccountRow } from "../../platform/database/tables.ts";
import { inTransaction } from "../../platform/database/transaction.ts";
import type { Caller } from "../../platform/http/access.ts";
import type { RequestOrigin } from "../../platform/http/route.ts";
import type { Platform } from "../../platform/platform.ts";
import { addAccount, emailKey, findAccountOf, type NewAccount } from "../accounts/accounts.ts";
import { recordEvent } from "../audit/audit.ts";
import { noteSignIn } from "../notices/notices.ts";
import {
  findUnchanged,
  hashRequiredPassword,
  type Lane,
  provePassword,
  sessionLane,
  setRequiredPassword,
} from "../passwords/passwords.ts";
import {
  markReauthenticated,
  startSession,
  type Sessions,
  type StartedSession,
  type TokensBody,
} from "../sessions/sessions.ts";
import { signInSteps } from "./sign-in-steps.ts";

export type Credentials = {
  readonly email: string;
  readonly password: string;
  /** For an account that must change its password. */
  readonly nextPassword?: string | undefined;
  /** From an earlier sign-in of this client. */
  readonly deviceToken?: string | undefined;
};

/** The one door: whatever was proved, a session starts here and nowhere else. Call it in a transaction. */
export async function openDoor(
  tx: Platform,
  account: AccountRow,
  method: Events["session/started"]["method"],
  origin: RequestOrigin,
): Promise<StartedSession> {
  for (const step of signInSteps) step(account, tx);
  return startSession(tx, account, method, origin);
}

export type Entered = { readonly account: AccountRow; readonly tokens: TokensBody };

/** Makes an account and lets it in by the one door. Call it in a transaction: both or neither. */
export async function enterNewAccount(
  tx: Platform,
  sessions: Sessions,
  entrant: NewAccount & { readonly by: "sign-up" | "lab"; readonly origin: RequestOrigin },
): Promise<Entered> {
  const account = await addAccount(tx, entrant);
  const session = await openDoor(tx, account, entrant.by, entrant.origin);
  return { account, tokens: await sessions.issueTokens(account, session) };
}

/**
 * Signs in with a password. An unknown address costs the same hash and gets the same answer as a wrong password.
 * A password that must be changed is changed in the same transaction: what keeps the door shut undoes that too.
 *
 * @throws Problem `wrong-credentials`, `account-disabled`, `email-not-verified`, `password-change-required`,
 * `validation-failed`, `too-many-requests`, `busy`
 */
export async function logIn(
  platform: Platform,
  sessions: Sessions,
  { email, password, nextPassword, deviceToken }: Credentials,
  origin: RequestOrigin,
): Promise<TokensBody> {
  platform.passwordHasher.requireRoom(); // In a flood most are refused: before anything is looked up for them.
  const found = await findAccountOf(platform, email);
  // Read for nobody too, so that it takes its time for nobody too.
  const deviceId = sessions.readDeviceToken(deviceToken, found?.id ?? 0);
  const lane: Lane =
    deviceId === undefined
      ? { key: `email:${emailKey(email)}`, isStrangers: true }
      : { key: `device:${deviceId}`, isStrangers: false };
  const proved = await provePassword(platform, found, password, lane);
  if (proved === undefined) throw new Problem("wrong-credentials");
  const nextHash = nextPassword === undefined ? undefined : await hashRequiredPassword(platform, proved, nextPassword);
  const { account, session } = await inTransaction(platform, async (tx) => {
    const account =
      nextHash === undefined
        ? await findUnchanged(tx, proved)
        : await setRequiredPassword(tx, proved, nextHash, origin);
    if (account === undefined) throw new Problem("wrong-credentials");
    const session = await openDoor(tx, account, "password", origin);
    await noteSignIn(tx, account, { sessionId: session.id, isKnownDevice: deviceId !== undefined }, origin);
    return { account, session };
  });
  platform.metrics.signIns.inc();
  const tokens = await sessions.issueTokens(account, session);
  const isKnownDevice = deviceToken !== undefined && deviceId !== undefined;
  return { ...tokens, device_token: isKnownDevice ? deviceToken : sessions.makeDeviceToken(account.id) };
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
  const proved = await provePassword(platform, caller.account, password, sessionLane(sessionId));
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
