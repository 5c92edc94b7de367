import { type Role, roles } from "../../contract/permissions.ts";
import { accountWords, firstWordWith, searchedWords } from "../../platform/database/account-words.ts";
import type { AccountRow } from "../../platform/database/tables.ts";
import type { Platform } from "../../platform/platform.ts";
import { type AccountKind, countKind, countWordUses, listAccountsAfter, walkWords } from "./account-search-store.ts";

type Db = Pick<Platform, "db">;

export type AccountFilter = {
  /** Words, each the beginning of a word of the e-mail address or the display name. */
  readonly text?: string | undefined;
  readonly role?: Role | undefined;
  readonly disabled?: boolean | undefined;
};

export type FoundAccounts = {
  readonly accounts: readonly AccountRow[];
  /** Where the next page begins; undefined behind the last one. */
  readonly next: string | undefined;
};

/** How many accounts are looked at for one page; then it is as long as it is, and the next one goes on. */
const walkedMax = 2_000;
const walkStep = 250;
/** What is more frequent is counted no further: the counting is what a search for several words costs. */
const countedMax = 5_000;

/**
 * A page of accounts. Of what is asked (words, role, state) the rarest leads: an index has its accounts in order, by
 * the word or by the id, and each is held against the rest. So a page costs the same wherever it begins and however
 * many accounts there are; and what is asked for once more with `next` goes on in the same order.
 *
 * @param from `next` of the page before, with the same filter
 */
export async function findAccountPage(
  db: Db,
  filter: AccountFilter,
  { from, count }: { readonly from: string | undefined; readonly count: number },
): Promise<FoundAccounts> {
  const text = filter.text?.trim() ?? "";
  const words = searchedWords(text);
  if (text !== "" && words.length === 0) return { accounts: [], next: undefined };
  const position = from === undefined ? undefined : readPosition(from);
  const lead = position?.lead ?? (await rarestLead(db, words, filter));
  const walk = lead === byId ? walkById(db, filter, words) : walkByWord(db, filter, words, words[lead] ?? "");
  const start = position ?? { lead, word: lead === byId ? "" : (words[lead] ?? ""), id: 0 };
  return takePage(walk, start, count);
}

/** Which of the words leads, or the order of the ids. */
type Lead = number;
const byId: Lead = -1;

type Position = { readonly lead: Lead; readonly word: string; readonly id: number };

/** An account behind a position, and whether it is meant: the index only leads to it. */
type Step = { readonly account: AccountRow; readonly word: string; readonly isMeant: boolean };
type Walk = (after: Position, count: number) => Promise<readonly Step[]>;

async function takePage(walk: Walk, start: Position, count: number): Promise<FoundAccounts> {
  const accounts: AccountRow[] = [];
  let after = start;
  let stepLength = Math.min(count + 1, walkStep);
  for (let walked = 0; walked < walkedMax; stepLength = walkStep) {
    const steps = await walk(after, stepLength);
    walked += steps.length;
    for (const { account, word, isMeant } of steps) {
      // One more than asked for, so that the last page knows that it is the last.
      if (isMeant && accounts.length === count) return { accounts, next: writePosition(after) };
      if (isMeant) accounts.push(account);
      after = { ...after, word, id: account.id };
    }
    if (steps.length < stepLength) return { accounts, next: undefined };
  }
  return { accounts, next: writePosition(after) };
}

function walkByWord(db: Db, filter: AccountFilter, words: readonly string[], lead: string): Walk {
  return async (after, count) => {
    const rows = await walkWords(db, lead, { after, count });
    return rows.map(({ word, ...account }) => {
      const own = accountWords(account);
      // An account comes once for each of its words that begin so, and counts at the first.
      const isFirst = firstWordWith(lead, own) === word;
      return { account, word, isMeant: isFirst && isOfFilter(filter, account) && hasWords(words, own) };
    });
  };
}

function walkById(db: Db, filter: AccountFilter, words: readonly string[]): Walk {
  return async (after, count) => {
    const found: AccountRow[] = [];
    for (const kind of kindsOf(filter)) found.push(...(await listAccountsAfter(db, kind, { after: after.id, count })));
    const next = found.toSorted((one, other) => one.id - other.id).slice(0, count);
    return next.map((account) => ({ account, word: "", isMeant: hasWords(words, accountWords(account)) }));
  };
}

function hasWords(words: readonly string[], own: readonly string[]): boolean {
  return words.every((word) => own.some((ownWord) => ownWord.startsWith(word)));
}

function isOfFilter({ role, disabled }: AccountFilter, account: AccountRow): boolean {
  return (
    (role === undefined || account.role === role) && (disabled === undefined || (account.disabled === 1) === disabled)
  );
}

async function rarestLead(db: Db, words: readonly string[], filter: AccountFilter): Promise<Lead> {
  const kinds = kindsOf(filter).filter((kind) => kind !== undefined);
  if (words.length === 0) return byId;
  if (words.length === 1 && kinds.length === 0) return 0;
  let [rarest, fewest] = [0, countedMax];
  for (const [index, word] of words.entries()) {
    // No further than to see that it is not the rarest: beside a name, a word that all have costs nothing.
    const uses = await countWordUses(db, word, fewest);
    if (uses < fewest) [rarest, fewest] = [index, uses];
  }
  let ofKinds = kinds.length === 0 ? countedMax : 0;
  for (const kind of kinds) ofKinds += await countKind(db, kind, fewest);
  return ofKinds < fewest ? byId : rarest;
}

/** The kinds of accounts that a filter leaves; undefined for all of them together. */
function kindsOf({ role, disabled }: AccountFilter): readonly (AccountKind | undefined)[] {
  if (role === undefined && disabled === undefined) return [undefined];
  const states = disabled === undefined ? ([0, 1] as const) : ([disabled ? 1 : 0] as const);
  const wantedRoles = role === undefined ? roles : [role];
  return wantedRoles.flatMap((one) => states.map((state) => ({ role: one, disabled: state })));
}

function writePosition({ lead, word, id }: Position): string {
  return JSON.stringify([lead, word, id]);
}

function readPosition(text: string): Position {
  const [lead, word, id] = JSON.parse(text) as [Lead, string, number];
  return { lead, word, id };
}
