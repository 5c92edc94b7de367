import { Type, type Static } from "typebox";
import type { EndReason, Events } from "../../contract/events.ts";
import { hasPermission, roles, type Permission, type Role } from "../../contract/permissions.ts";
import { Problem, type Fault } from "../../contract/problems.ts";
import { timestamp } from "../../platform/clock.ts";
import { isUniqueViolation } from "../../platform/database/database-faults.ts";
import type { AccountRow, NewAccountRow } from "../../platform/database/tables.ts";
import { inTransaction } from "../../platform/database/transaction.ts";
import type { Caller } from "../../platform/http/access.ts";
import type { RequestOrigin } from "../../platform/http/route.ts";
import type { Platform } from "../../platform/platform.ts";
import { recordEvent, type SecurityEvent } from "../audit/audit.ts";
import { endSessions } from "../sessions/sessions.ts";
import { type AccountFilter, findAccountPage, type FoundAccounts } from "./account-search.ts";
import {
  deleteAccountRow,
  findAccountByEmail,
  findAccountById,
  hasOtherAdministrator,
  insertAccount,
  insertAccountIfFree,
  updateAccount,
} from "./accounts-store.ts";
import { parseEmailAddress, type EmailAddress } from "./email-address.ts";

/** An account as its owner and administrators see it. An allow-list: what is not named here leaves no server. */
export const UserBody = Type.Object(
  {
    id: Type.Integer(),
    email: Type.String(),
    role: Type.Enum([...roles]),
    email_verified: Type.Boolean(),
    display_name: Type.Union([Type.String(), Type.Null()]),
    locale: Type.Union([Type.String(), Type.Null()], { description: "The language that mail is written in (BCP 47)." }),
    disabled: Type.Boolean(),
    created_at: Type.String({ format: "date-time" }),
    password_change_required: Type.Optional(Type.Boolean({ description: "Told to administrators." })),
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
    locale: account.locale,
    disabled: account.disabled === 1,
    created_at: timestamp(account.created_at),
  };
}

/** The same with what only administrators are told. */
export function administeredUserBody(account: AccountRow): UserBody {
  return { ...userBody(account), password_change_required: account.password_change_required === 1 };
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

export type NewAccount = {
  readonly email: string;
  readonly passwordHash: string;
  readonly role: Role;
  readonly by: Events["account/created"]["by"];
  readonly origin?: RequestOrigin;
  /** The language that the person reads, as the browser told it. */
  readonly locale?: string | undefined;
};

/**
 * Makes an account; call it in a transaction.
 *
 * @throws Problem `email-taken`, also for the one who lost a race: the unique index decides.
 */
export async function addAccount(tx: Pick<Platform, "db" | "clock">, account: NewAccount): Promise<AccountRow> {
  const row = await insertAccount(tx, newRow(tx, account)).catch((error: unknown) => {
    throw isUniqueViolation(error) ? new Problem("email-taken", { cause: error }) : error;
  });
  await recordCreation(tx, row, account);
  return row;
}

/** The same where nobody is to learn that the address is taken: `undefined` then, and the transaction goes on. */
export async function addAccountIfFree(
  tx: Pick<Platform, "db" | "clock">,
  account: NewAccount,
): Promise<AccountRow | undefined> {
  const row = await insertAccountIfFree(tx, newRow(tx, account));
  if (row !== undefined) await recordCreation(tx, row, account);
  return row;
}

function newRow({ clock }: Pick<Platform, "clock">, account: NewAccount): NewAccountRow {
  const address = parsedEmail(account.email);
  return {
    email: address.typed,
    email_canonical: address.canonical,
    // What the operator or the Lab makes is not to wait for a mailbox.
    email_verified: account.by === "sign-up" ? 0 : 1,
    password_hash: account.passwordHash,
    role: account.role,
    display_name: null,
    locale: account.locale ?? null,
    created_at: clock.now(),
  };
}

async function recordCreation(
  tx: Pick<Platform, "db" | "clock">,
  row: AccountRow,
  { role, by, origin }: NewAccount,
): Promise<void> {
  await recordEvent(tx, {
    type: "account/created",
    payload: { role, by },
    accountId: row.id,
    ...(origin && { actorId: row.id, ...eventOrigin(origin) }),
  });
}

/** An address that somebody gave. @throws Problem `validation-failed` */
export function parsedEmail(email: string): EmailAddress {
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

/** A page of accounts; see account-search.ts. */
export async function listAccounts(
  platform: Pick<Platform, "db">,
  filter: AccountFilter,
  page: { readonly from: string | undefined; readonly count: number },
): Promise<FoundAccounts> {
  return findAccountPage(platform, filter, page);
}

/** @throws Problem `user-not-found` */
export async function findAccount(platform: Pick<Platform, "db">, id: number): Promise<AccountRow> {
  const account = await findAccountById(platform, id);
  if (account === undefined) throw new Problem("user-not-found");
  return account;
}

export async function changeProfile(
  platform: Platform,
  caller: Caller,
  changes: { readonly display_name?: string | null | undefined; readonly locale?: string | null | undefined },
  origin: RequestOrigin,
): Promise<AccountRow> {
  const { display_name: displayName = caller.account.display_name, locale = caller.account.locale } = changes;
  return inTransaction(platform, async (tx) => {
    const account = await updateAccount(tx, caller.account.id, { display_name: displayName, locale });
    if (account === undefined) throw new Problem("session-ended"); // Deleted since the authenticate gate.
    if (changes.display_name !== undefined) {
      const about = { ...eventActor(caller, origin), accountId: account.id };
      await recordEvent(tx, { type: "account/renamed", payload: {}, ...about });
    }
    return account;
  });
}

export type AdministratorChanges = {
  readonly role?: Role | undefined;
  readonly disabled?: boolean | undefined;
  readonly password_change_required?: boolean | undefined;
};

/**
 * Another role, disabled or enabled, made to change the password. Each request reads the account anew, so the next one
 * feels it.
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
    const after = {
      role: changes.role ?? before.role,
      disabled: flag(changes.disabled, before.disabled),
      password_change_required: flag(changes.password_change_required, before.password_change_required),
    };
    const staysAdministrator = after.role === "admin" && after.disabled === 0;
    if (!staysAdministrator) await refuseLastAdministrator(tx, before);
    const by = actor && origin && eventActor(actor, origin);
    if (after.role !== before.role) {
      const payload = { from: before.role, to: after.role };
      await recordEvent(tx, { type: "account/role-changed", payload, accountId: id, ...by });
    }
    for (const { type, ends } of switched(before, after)) {
      await recordEvent(tx, { type, payload: {}, accountId: id, ...by });
      if (ends) await endSessions(tx, { accountId: id, reason: ends, ...(by && { actor: by }) });
    }
    return (await updateAccount(tx, id, after)) ?? before;
  });
}

function flag(wanted: boolean | undefined, before: 0 | 1): 0 | 1 {
  if (wanted === undefined) return before;
  return wanted ? 1 : 0;
}

type Switches = Pick<AccountRow, "disabled" | "password_change_required">;
type Switched = {
  readonly type: "account/disabled" | "account/enabled" | "password/change-required" | "password/change-waived";
  readonly ends?: EndReason;
};

/** What was switched on or off, and why the account's sessions end with it. */
function switched(before: Switches, after: Switches): readonly Switched[] {
  const all: Switched[] = [];
  if (after.disabled > before.disabled) all.push({ type: "account/disabled", ends: "account-disabled" });
  if (after.disabled < before.disabled) all.push({ type: "account/enabled" });
  if (after.password_change_required > before.password_change_required) {
    all.push({ type: "password/change-required", ends: "password-change-required" });
  }
  if (after.password_change_required < before.password_change_required) all.push({ type: "password/change-waived" });
  return all;
}

/**
 * Deletes oneself, or anyone for `users:delete`; the sessions go with the account.
 *
 * @throws Problem `user-not-found`, `last-admin`
 */
export async function deleteAccount(
  platform: Platform,
  caller: Caller,
  id: number,
  origin: RequestOrigin,
): Promise<void> {
  const { id: accountId } = await findAccountFor(platform, caller, id, "users:delete");
  await inTransaction(platform, async (tx) => {
    const account = await findAccountById(tx, accountId);
    if (account === undefined) throw new Problem("user-not-found"); // Somebody was quicker.
    await refuseLastAdministrator(tx, account);
    await deleteAccountRow(tx, accountId);
    await recordEvent(tx, { type: "account/deleted", payload: {}, ...eventActor(caller, origin), accountId });
  });
}

/** Deletes an account that was made to be thrown away: nobody asked, and it is nobody's last administrator. */
export async function discardAccount(
  tx: Pick<Platform, "db" | "clock">,
  id: number,
  reason: NonNullable<Events["account/deleted"]["reason"]>,
): Promise<void> {
  await deleteAccountRow(tx, id);
  await recordEvent(tx, { type: "account/deleted", payload: { reason }, accountId: id });
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
