import { Type, type Static } from "typebox";
import type { Config } from "../../config.ts";
import { hasPermission, roles, type Permission, type Role } from "../../contract/permissions.ts";
import { Problem, type Fault } from "../../contract/problems.ts";
import { timestamp } from "../../platform/clock.ts";
import { isUniqueViolation } from "../../platform/database/database-faults.ts";
import type { AccountRow } from "../../platform/database/tables.ts";
import { inTransaction } from "../../platform/database/transaction.ts";
import type { Caller } from "../../platform/http/access.ts";
import type { RequestOrigin } from "../../platform/http/route.ts";
import type { Platform } from "../../platform/platform.ts";
import { takeLimit } from "../../platform/rate-limit/take-limit.ts";
import { recordEvent, type SecurityEvent } from "../audit/audit.ts";
import { endSessions, markReauthenticated } from "../sessions/sessions.ts";
import {
  deleteAccountRow,
  findAccountByEmail,
  findAccountById,
  hasOtherAdministrator,
  insertAccount,
  listAccountsAfter,
  replacePasswordHash,
  updateAccount,
} from "./accounts-store.ts";
import { parseEmailAddress, type EmailAddress } from "./email-address.ts";
import { passwordFaults } from "./passwords.ts";

/** An account as its owner and administrators see it. An allow-list: what is not named here leaves no server. */
export const UserBody = Type.Object(
  {
    id: Type.Integer(),
    email: Type.String(),
    role: Type.Enum([...roles]),
    email_verified: Type.Boolean(),
    display_name: Type.Union([Type.String(), Type.Null()]),
    disabled: Type.Boolean(),
    created_at: Type.String({ format: "date-time" }),
  },
  { title: "User" },
);
export type UserBody = Static<typeof UserBody>;

export function userBody(account: AccountRow): UserBody {
  return {
    id: account.id,
    email: account.email,
    role: account.role,
    email_verified: account.email_verified === 1,
    display_name: account.display_name,
    disabled: account.disabled === 1,
    created_at: timestamp(account.created_at),
  };
}

/** The account of this address, however it is typed. */
export async function findAccountOf(platform: Pick<Platform, "db">, email: string): Promise<AccountRow | undefined> {
  const address = parseEmailAddress(email);
  return address && findAccountByEmail(platform, address.canonical);
}

/** What limits count by: one key for all ways to type an address, whether or not it has an account. */
export function emailKey(email: string): string {
  return parseEmailAddress(email)?.canonical ?? email;
}

/** What a new account's password breaks, as a route's extra rules: told together with the schema's faults. */
export function newAccountFaults({ config }: Pick<Platform, "config">, body: unknown): readonly Fault[] {
  const { email, password } = (body ?? {}) as { email?: unknown; password?: unknown };
  return newPasswordFaults(config, password, typeof email === "string" ? [email.trim()] : [], "#/password");
}

/** The same for the owner of an account. */
export function passwordChangeFaults(
  { config }: Pick<Platform, "config">,
  body: unknown,
  caller: Caller | undefined,
): readonly Fault[] {
  const { new_password: password } = (body ?? {}) as { new_password?: unknown };
  const words = [caller?.account.email ?? "", caller?.account.display_name ?? ""];
  return newPasswordFaults(config, password, words, "#/new_password");
}

function newPasswordFaults({ passwordLengthMin, passwordsChecked }: Config, password: unknown, words: string[], pointer: string): Fault[] {
  if (typeof password !== "string") return [];
  const policy = { lengthMin: passwordLengthMin, checked: passwordsChecked };
  return passwordFaults(policy, password, words).map((fault) => ({ pointer, ...fault }));
}

export type NewAccount = {
  readonly email: string;
  readonly passwordHash: string;
  readonly role: Role;
  readonly by: "sign-up" | "command-line";
  readonly origin?: RequestOrigin;
};

/**
 * Makes an account; call it in a transaction.
 *
 * @throws Problem `email-taken`, also for the one who lost a race: the unique index decides.
 */
export async function addAccount(tx: Pick<Platform, "db" | "clock">, account: NewAccount): Promise<AccountRow> {
  const address = parsedEmail(account.email);
  const row = await insertAccount(tx, {
    email: address.typed,
    email_canonical: address.canonical,
    password_hash: account.passwordHash,
    role: account.role,
    display_name: null,
    created_at: tx.clock.now(),
  }).catch((error: unknown) => {
    throw isUniqueViolation(error) ? new Problem("email-taken", { cause: error }) : error;
  });
  await recordEvent(tx, {
    type: "account/created",
    payload: { role: account.role, by: account.by },
    accountId: row.id,
    ...(account.origin && { actorId: row.id, ...eventOrigin(account.origin) }),
  });
  return row;
}

/** A password as it is stored: an argon2id PHC string. Hash before the transaction, never in it. */
export async function hashNewPassword({ passwordHasher }: Pick<Platform, "passwordHasher">, password: string): Promise<string> {
  return passwordHasher.hash(password);
}

/**
 * The account as it is now, if this is its password; for no account the answer is no, at the same cost.
 * The attempt is counted before anything is computed and given back when the password was right, so that a thousand
 * guesses at once are still only as many as the limit allows (CVE-2024-4629), and nobody is slowed by being right.
 *
 * @param lane whose guesses count together: strangers share the account's lane, a session has its own.
 * @throws Problem `too-many-requests`, `busy`
 */
export async function provePassword(
  platform: Platform,
  account: AccountRow | undefined,
  password: string,
  lane: string,
): Promise<AccountRow | undefined> {
  const { passwordHasher } = platform;
  const taken = await takeLimit(platform, "login-account", lane);
  try {
    if (account === undefined) {
      await passwordHasher.verifyNothing(password);
      return undefined;
    }
    if (!(await passwordHasher.verify(account.password_hash, password))) return undefined;
  } catch (error) {
    await taken?.decision.giveBack(); // Nothing was tried.
    throw error;
  }
  await taken?.decision.giveBack();
  return passwordHasher.needsRehash(account.password_hash) ? rehash(platform, account, password) : account;
}

async function rehash(platform: Platform, account: AccountRow, password: string): Promise<AccountRow> {
  const passwordHash = await platform.passwordHasher.hash(password);
  // Losing to another change is fine: `findUnchanged` then finds it.
  const isReplaced = await replacePasswordHash(platform, account.id, account.password_hash, passwordHash);
  return isReplaced ? { ...account, password_hash: passwordHash } : account;
}

/**
 * The account in this transaction, if its password is still the one that was proved. Between a proof and what it is
 * for, somebody may change the password to shut a thief out: the proof is then worth nothing.
 */
export async function findUnchanged(tx: Pick<Platform, "db">, proved: AccountRow): Promise<AccountRow | undefined> {
  const account = await findAccountById(tx, proved.id);
  return account?.password_hash === proved.password_hash ? account : undefined;
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
  const account = await provePassword(platform, caller.account, passwords.current, `session:${sessionId}`);
  if (account === undefined) throw new Problem("wrong-password");
  const passwordHash = await hashNewPassword(platform, passwords.next);
  await inTransaction(platform, async (tx) => {
    const isReplaced = await replacePasswordHash(tx, account.id, account.password_hash, passwordHash);
    if (!isReplaced) throw new Problem("wrong-password"); // Changed since it was proved.
    await endSessions(tx, { accountId: account.id, reason: "password-changed", exceptSessionId: sessionId });
    await markReauthenticated(tx, sessionId);
    await recordEvent(tx, { type: "password/changed", payload: {}, ...eventActor(caller, origin), accountId: account.id });
  });
}

function parsedEmail(email: string): EmailAddress {
  const address = parseEmailAddress(email);
  if (address) return address;
  const fault: Fault = { pointer: "#/email", detail: "must be an e-mail address", code: "format" };
  throw new Problem("validation-failed", { members: { errors: [fault] } });
}

/** Oneself, or anyone for who has the permission. Somebody else's id answers like one that does not exist. */
export async function findAccountFor(
  platform: Pick<Platform, "db">,
  caller: Caller,
  id: number,
  permission: Permission,
): Promise<AccountRow> {
  if (id === caller.account.id) return caller.account;
  const account = hasPermission(caller.account.role, permission) ? await findAccountById(platform, id) : undefined;
  if (account === undefined) throw new Problem("user-not-found");
  return account;
}

/** A page of accounts by id, with one more than asked for when there are more. */
export async function listAccounts(
  platform: Pick<Platform, "db">,
  page: { readonly after: number; readonly count: number; readonly text: string | undefined },
): Promise<AccountRow[]> {
  return listAccountsAfter(platform, page.after, page.count, page.text);
}

export async function renameAccount(
  platform: Platform,
  caller: Caller,
  displayName: string | null | undefined,
  origin: RequestOrigin,
): Promise<AccountRow> {
  if (displayName === undefined) return caller.account;
  return inTransaction(platform, async (tx) => {
    const account = await updateAccount(tx, caller.account.id, { display_name: displayName });
    if (account === undefined) throw new Problem("session-ended"); // Deleted since the authenticate gate.
    await recordEvent(tx, { type: "account/renamed", payload: {}, ...eventActor(caller, origin), accountId: account.id });
    return account;
  });
}

export type AdministratorChanges = { readonly role?: Role | undefined; readonly disabled?: boolean | undefined };

/**
 * Another role, disabled or enabled. Each request reads the account anew, so the next one feels it.
 *
 * @throws Problem `user-not-found`, `last-admin`
 */
export async function changeAccount(
  platform: Platform,
  actor: Caller | undefined,
  id: number,
  changes: AdministratorChanges,
  origin?: RequestOrigin,
): Promise<AccountRow> {
  return inTransaction(platform, async (tx) => {
    const before = await findAccountById(tx, id);
    if (before === undefined) throw new Problem("user-not-found");
    const role = changes.role ?? before.role;
    const disabled = changes.disabled === undefined ? before.disabled : changes.disabled ? 1 : 0;
    const staysAdministrator = role === "admin" && disabled === 0;
    if (!staysAdministrator) await refuseLastAdministrator(tx, before);
    const about = { accountId: id, ...(actor && origin && eventActor(actor, origin)) };
    if (role !== before.role) {
      await recordEvent(tx, { type: "account/role-changed", payload: { from: before.role, to: role }, ...about });
    }
    if (disabled !== before.disabled) {
      await recordEvent(tx, { type: disabled === 1 ? "account/disabled" : "account/enabled", payload: {}, ...about });
      if (disabled === 1) await endSessions(tx, { accountId: id, reason: "account-disabled" });
    }
    const after = await updateAccount(tx, id, { role, disabled });
    return after ?? before;
  });
}

/**
 * Deletes oneself, or anyone for `users:delete`; the sessions go with the account.
 *
 * @throws Problem `user-not-found`, `last-admin`
 */
export async function deleteAccount(platform: Platform, caller: Caller, id: number, origin: RequestOrigin): Promise<void> {
  const { id: accountId } = await findAccountFor(platform, caller, id, "users:delete");
  await inTransaction(platform, async (tx) => {
    const account = await findAccountById(tx, accountId);
    if (account === undefined) throw new Problem("user-not-found"); // Somebody was quicker.
    await refuseLastAdministrator(tx, account);
    await deleteAccountRow(tx, accountId);
    await recordEvent(tx, { type: "account/deleted", payload: {}, ...eventActor(caller, origin), accountId });
  });
}

// Writing transactions come one after the other (BEGIN IMMEDIATE), so nobody else can leave between look and change.
async function refuseLastAdministrator(tx: Pick<Platform, "db">, account: AccountRow): Promise<void> {
  const isAdministrator = account.role === "admin" && account.disabled === 0;
  if (isAdministrator && !(await hasOtherAdministrator(tx, account.id))) throw new Problem("last-admin");
}

function eventOrigin({ requestId, address }: RequestOrigin): Pick<SecurityEvent, "requestId" | "address"> {
  return { requestId, address };
}

function eventActor(caller: Caller, origin: RequestOrigin): Pick<SecurityEvent, "actorId" | "requestId" | "address"> {
  return { actorId: caller.account.id, ...eventOrigin(origin) };
}
