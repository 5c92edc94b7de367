import { Type, type TString } from "typebox";
import type { Config } from "../../config.ts";
import { Problem, type Fault } from "../../contract/problems.ts";
import type { AccountRow } from "../../platform/database/tables.ts";
import { inTransaction } from "../../platform/database/transaction.ts";
import { isHashable, normalisePassword, passwordBytesMax } from "../../platform/hashing/password-text.ts";
import type { Caller } from "../../platform/http/access.ts";
import type { RequestOrigin } from "../../platform/http/route.ts";
import type { Platform } from "../../platform/platform.ts";
import { takeLimit } from "../../platform/rate-limit/take-limit.ts";
import { recordEvent } from "../audit/audit.ts";
import { notePasswordChanged } from "../notices/notices.ts";
import { endSessions, markReauthenticated } from "../sessions/sessions.ts";
import { generatePassword, loadCommonPasswords, passwordFaults } from "./password-policy.ts";
import { findAccountWithHash, replacePasswordHash, setPasswordHash, waivePasswordChange } from "./passwords-store.ts";

/** A password given as proof. Of any length that can be: what is right is decided by the hash. */
export const GivenPassword = Type.String({ minLength: 1, maxLength: passwordBytesMax });

/** A password to be set: `newAccountFaults` and `passwordChangeFaults` say the rest. */
export function newPassword({ passwordLengthMin }: Pick<Config, "passwordLengthMin">): TString {
  return Type.String({ minLength: passwordLengthMin, maxLength: passwordBytesMax });
}

/** A password as it is stored: an argon2id PHC string. Hash before the transaction, never in it. */
export async function hashNewPassword(
  { passwordHasher }: Pick<Platform, "passwordHasher">,
  password: string,
): Promise<string> {
  return passwordHasher.hash(password);
}

/** A password for somebody who did not choose one: told once, then changed. */
export function newRandomPassword({ secrets }: Pick<Platform, "secrets">): string {
  return generatePassword(secrets.randomText);
}

/**
 * Whose guesses count together. All strangers to an account share one lane; a client that has signed in before, and a
 * session that is alive, have their own, so that nobody can lock somebody else out by guessing.
 */
export type Lane = { readonly key: string; readonly isStrangers: boolean };

export function sessionLane(sessionId: string): Lane {
  return { key: `session:${sessionId}`, isStrangers: false };
}

/**
 * The account with its hash as it is now, if this is its password; for no account the answer is no, at the same cost.
 * The attempt is counted before anything is computed and given back when the password was right, so that a thousand
 * guesses at once are still only as many as the limit allows (CVE-2024-4629), and nobody is slowed by being right.
 *
 * In the strangers' lane a wrong guess is answered later and later, up to two seconds.
 *
 * @throws Problem `too-many-requests`, `busy`
 */
export async function provePassword(
  platform: Platform,
  account: AccountRow | undefined,
  password: string,
  lane: Lane,
): Promise<AccountRow | undefined> {
  const { passwordHasher } = platform;
  const taken = await takeLimit(platform, "login-account", lane.key);
  let isRight: boolean;
  try {
    isRight = account
      ? await passwordHasher.verify(account.password_hash, password)
      : await passwordHasher.verifyNothing(password);
  } catch (error) {
    await taken?.decision.giveBack(); // Nothing was tried.
    throw error;
  }
  if (!isRight || account === undefined) {
    platform.metrics.wrongPasswords.inc();
    if (taken && lane.isStrangers) await slowDown(platform, taken.limit.quota - taken.decision.remaining);
    return undefined;
  }
  await taken?.decision.giveBack();
  return passwordHasher.needsRehash(account.password_hash) ? rehash(platform, account, password) : account;
}

const freeGuesses = 4;
const delayMillisecondsMax = 2_000;
const delayedMax = 1_000;
let delayed = 0;

/** 0.2 s after the fifth wrong guess in the window, then twice as long each time. */
async function slowDown({ clock }: Pick<Platform, "clock">, guesses: number): Promise<void> {
  const milliseconds = guesses <= freeGuesses ? 0 : Math.min(delayMillisecondsMax, 100 * 2 ** (guesses - freeGuesses));
  // Those who wait are bounded too; beyond them the limit alone does its work.
  if (milliseconds === 0 || delayed >= delayedMax) return;
  delayed += 1;
  try {
    await clock.wait(milliseconds);
  } finally {
    delayed -= 1;
  }
}

async function rehash(platform: Platform, account: AccountRow, password: string): Promise<AccountRow> {
  try {
    const passwordHash = await platform.passwordHasher.hash(password);
    // Losing to another change is fine: `findUnchanged` then finds it.
    const isReplaced = await replacePasswordHash(platform, account.id, account.password_hash, passwordHash);
    return isReplaced ? { ...account, password_hash: passwordHash } : account;
  } catch (error) {
    if (error instanceof Problem && error.code === "busy") return account; // The next sign-in will do.
    throw error;
  }
}

/**
 * The account in this transaction, if its password is still the one that was proved. Between a proof and what it is
 * for, somebody may change the password to shut a thief out: the proof is then worth nothing.
 */
export async function findUnchanged(tx: Pick<Platform, "db">, proved: AccountRow): Promise<AccountRow | undefined> {
  return findAccountWithHash(tx, proved.id, proved.password_hash);
}

/**
 * Another password for oneself. All other sessions end; this one is fresh, for the password was proved.
 *
 * @throws Problem `wrong-password`, `too-many-requests`, `busy`
 */
export async function changePassword(
  platform: Platform,
  caller: Caller,
  passwords: { readonly current: string; readonly next: string },
  origin: RequestOrigin,
): Promise<void> {
  const { sessionId } = caller;
  const account = await provePassword(platform, caller.account, passwords.current, sessionLane(sessionId));
  if (account === undefined) throw new Problem("wrong-password");
  const passwordHash = await hashNewPassword(platform, passwords.next);
  await inTransaction(platform, async (tx) => {
    const isReplaced = await replacePassword(tx, account, passwordHash, origin, sessionId);
    if (!isReplaced) throw new Problem("wrong-password"); // Changed since it was proved.
    await markReauthenticated(tx, sessionId);
  });
}

/** Replaces the password that was proved; all sessions end but for one if named. Call it in a transaction. */
async function replacePassword(
  tx: Platform,
  account: AccountRow,
  passwordHash: string,
  origin: RequestOrigin,
  exceptSessionId?: string,
): Promise<boolean> {
  const { id: accountId, password_hash: provedHash } = account;
  const { requestId, address } = origin;
  if (!(await replacePasswordHash(tx, accountId, provedHash, passwordHash))) return false;
  const actor = { actorId: accountId, requestId, address };
  const kept = exceptSessionId === undefined ? {} : { exceptSessionId };
  await endSessions(tx, { accountId, reason: "password-changed", actor, ...kept });
  await recordEvent(tx, { type: "password/changed", payload: {}, accountId, ...actor });
  await notePasswordChanged(tx, account, origin);
  return true;
}

/**
 * Hashes the password that an account must choose before it may come in. To be called when the old one was proved:
 * what is wrong here tells about the account.
 *
 * @throws Problem `validation-failed` when none has to be chosen, or not this one; `busy`
 */
export async function hashRequiredPassword(platform: Platform, proved: AccountRow, password: string): Promise<string> {
  const errors =
    proved.password_change_required === 1
      ? newPasswordFaults(platform.config, { new_password: password }, "new_password", wordsOf(proved))
      : [notRequired];
  if (errors.length > 0) throw new Problem("validation-failed", { members: { errors } });
  return hashNewPassword(platform, password);
}

const notRequired: Fault = {
  pointer: "#/new_password",
  detail: "is only for a password that must be changed; sign in without it",
  code: "not-required",
};

/** What is wrong with the password that somebody chooses for this account, having proved something else than the old one. */
export function chosenPasswordFaults(
  { config }: Pick<Platform, "config">,
  password: string,
  account: AccountRow,
): readonly Fault[] {
  return newPasswordFaults(config, { new_password: password }, "new_password", wordsOf(account));
}

/** The same without the account, told by the validate gate. */
export function chosenPasswordMemberFaults({ config }: Pick<Platform, "config">, body: unknown): readonly Fault[] {
  return newPasswordFaults(config, body, "new_password", []);
}

/** Puts a password in the place of whatever there is. Call it in the transaction that proves and records why. */
export async function overwritePassword(tx: Pick<Platform, "db">, id: number, passwordHash: string): Promise<void> {
  await setPasswordHash(tx, id, passwordHash);
}

/** Puts it in the place of the one that was proved. `undefined` when that was changed since. Call it in a transaction. */
export async function setRequiredPassword(
  tx: Platform,
  proved: AccountRow,
  passwordHash: string,
  origin: RequestOrigin,
): Promise<AccountRow | undefined> {
  if (!(await replacePassword(tx, proved, passwordHash, origin))) return undefined;
  await waivePasswordChange(tx, proved.id);
  return findAccountWithHash(tx, proved.id, passwordHash);
}

/** Reads what passwords are checked against before the first request has to wait for it. */
export function preparePasswordChecks({ config }: Pick<Platform, "config">): void {
  if (config.passwordsChecked) loadCommonPasswords();
}

/** What a new account's password breaks: told by the validate gate together with the schema's faults. */
export function newAccountFaults({ config }: Pick<Platform, "config">, body: unknown): readonly Fault[] {
  const email = member(body, "email");
  return newPasswordFaults(config, body, "password", typeof email === "string" ? [email.trim()] : []);
}

/** The same for another password of an account. */
export function passwordChangeFaults(
  { config }: Pick<Platform, "config">,
  body: unknown,
  caller: Caller | undefined,
): readonly Fault[] {
  const words = caller ? wordsOf(caller.account) : [];
  return [...givenPasswordFaults(body, "current_password"), ...newPasswordFaults(config, body, "new_password", words)];
}

/**
 * The same for a sign-in, which may bring a new password, but never the old one again. Told before anybody looks for the
 * account: `hashRequiredPassword` knows the rest.
 */
export function signInFaults({ config }: Pick<Platform, "config">, body: unknown): readonly Fault[] {
  const [email, password, next] = ["email", "password", "new_password"].map((name) => member(body, name));
  const words = typeof email === "string" ? [email.trim()] : [];
  const faults = [...givenPasswordFaults(body, "password"), ...newPasswordFaults(config, body, "new_password", words)];
  const isOldOne =
    typeof password === "string" &&
    typeof next === "string" &&
    [password, next].every(isHashable) &&
    normalisePassword(password) === normalisePassword(next);
  if (isOldOne) faults.push({ pointer: "#/new_password", detail: "must not be the old password", code: "unchanged" });
  return faults;
}

function wordsOf({ email, display_name: displayName }: AccountRow): readonly string[] {
  return [email, displayName ?? ""];
}

/** A password given as proof that cannot be one: refused before it is hashed, and before the account is looked up. */
export function givenPasswordFaults(body: unknown, name: string): readonly Fault[] {
  const password = member(body, name);
  if (typeof password !== "string" || isHashable(password)) return [];
  const detail = `must be Unicode text of at most ${passwordBytesMax} bytes`;
  return [{ pointer: `#/${name}`, detail, code: password.isWellFormed() ? "too-long" : "unicode" }];
}

function newPasswordFaults(config: Config, body: unknown, name: string, words: readonly string[]): readonly Fault[] {
  const password = member(body, name);
  if (typeof password !== "string") return [];
  const policy = { lengthMin: config.passwordLengthMin, checked: config.passwordsChecked };
  return passwordFaults(policy, password, words).map((fault) => ({ pointer: `#/${name}`, ...fault }));
}

function member(body: unknown, name: string): unknown {
  return typeof body === "object" && body !== null ? (body as Record<string, unknown>)[name] : undefined;
}
