import type { Events } from "../../contract/events.ts";
import { Problem } from "../../contract/problems.ts";
import type { AccountRow } from "../../platform/database/tables.ts";
import { inTransaction } from "../../platform/database/transaction.ts";
import type { Caller } from "../../platform/http/access.ts";
import { addressKey } from "../../platform/http/client-address.ts";
import type { RequestOrigin } from "../../platform/http/route.ts";
import type { Platform } from "../../platform/platform.ts";
import { addAccount, emailKey, findAccountOf, type NewAccount } from "../accounts/accounts.ts";
import { recordEvent } from "../audit/audit.ts";
import { onlyOnce } from "../idempotency/idempotency.ts";
import {
  findUnchanged,
  hashNewPassword,
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
async function openDoor(
  tx: Platform,
  account: AccountRow,
  method: Events["session/started"]["method"],
  origin: RequestOrigin,
): Promise<StartedSession> {
  for (const step of signInSteps) step(account);
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

export type SignedUp = { readonly accountId: number; readonly tokens: TokensBody };

/**
 * Makes an account and signs it in: both or neither, and for one Idempotency-Key only once.
 *
 * @throws Problem `email-taken`, `busy`, `idempotency-key-reused`, `request-in-progress`
 */
export async function signUp(
  platform: Platform,
  sessions: Sessions,
  { email, password }: Credentials,
  origin: RequestOrigin,
  idempotencyKey: string | undefined,
): Promise<SignedUp> {
  const { address, requestId } = origin;
  const caller = addressKey(address);
  const request = { key: idempotencyKey, caller, operation: "sign-up", body: { email, password }, requestId };
  return onlyOnce<SignedUp>(platform, request, async (keep) => {
    // Saves the hash. Who gets past here at the same time is told apart by the unique index.
    if (await findAccountOf(platform, email)) throw new Problem("email-taken");
    const passwordHash = await hashNewPassword(platform, password);
    const made = await inTransaction(platform, async (tx) => {
      const entrant = { email, passwordHash, role: "user", by: "sign-up", origin } as const;
      const { account, tokens } = await enterNewAccount(tx, sessions, entrant);
      const signedUp = {
        accountId: account.id,
        tokens: { ...tokens, device_token: sessions.makeDeviceToken(account.id) },
      };
      await keep(tx, signedUp);
      return signedUp;
    });
    platform.metrics.signUps.inc();
    return made;
  });
}

/**
 * Signs in with a password. An unknown address costs the same hash and gets the same answer as a wrong password.
 * A password that must be changed is changed in the same transaction: what keeps the door shut undoes that too.
 *
 * @throws Problem `wrong-credentials`, `account-disabled`, `password-change-required`, `validation-failed`,
 * `too-many-requests`, `busy`
 */
export async function logIn(
  platform: Platform,
  sessions: Sessions,
  { email, password, nextPassword, deviceToken }: Credentials,
  origin: RequestOrigin,
): Promise<TokensBody> {
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
    return { account, session: await openDoor(tx, account, "password", origin) };
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
