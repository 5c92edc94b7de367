import { sql, type SelectQueryBuilder } from "kysely";
import type { Role } from "../../contract/permissions.ts";
import { accountWords, type SearchedAccount } from "../../platform/database/account-words.ts";
import type { AccountRow, Tables } from "../../platform/database/tables.ts";
import type { Platform } from "../../platform/platform.ts";

type Db = Pick<Platform, "db">;

type WordsOf = SearchedAccount & { readonly id: number };

/** Writes by which words an account is found. Call it in the transaction that writes the account. */
export async function insertWords({ db }: Db, account: WordsOf): Promise<void> {
  const rows = accountWords(account).map((word) => ({ word, account_id: account.id }));
  if (rows.length === 0) return;
  // One that is there already does no harm: the index only leads to accounts, which are then looked at themselves.
  await db
    .insertInto("account_words")
    .values(rows)
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}

/** Takes them away again: those of this row, which must be the one that was written last. */
export async function deleteWords({ db }: Db, account: WordsOf): Promise<void> {
  const words = accountWords(account);
  if (words.length === 0) return;
  await db.deleteFrom("account_words").where("account_id", "=", account.id).where("word", "in", words).execute();
}

/** How often words begin so, counted up to a bound. */
export async function countWordUses({ db }: Db, beginning: string, max: number): Promise<number> {
  const uses = db
    .selectFrom("account_words")
    .select("account_id")
    .where("word", ">=", beginning)
    .where("word", "<", endOfWords(beginning));
  return countRows(uses, max);
}

/** How many accounts are of a kind, counted up to a bound. */
export async function countKind({ db }: Db, { role, disabled }: AccountKind, max: number): Promise<number> {
  const ofKind = db.selectFrom("accounts").select("id").where("role", "=", role).where("disabled", "=", disabled);
  return countRows(ofKind, max);
}

async function countRows(rows: SelectQueryBuilder<Tables, keyof Tables, object>, max: number): Promise<number> {
  if (max === 0) return 0;
  // Mostly there are fewer, or far more; and to go past a row costs half of counting it.
  const [last] = await rows
    .offset(max - 1)
    .limit(1)
    .execute();
  if (last !== undefined) return max;
  const counting = rows.clearSelect().select(({ fn }) => fn.countAll().as("count"));
  const { count } = await counting.executeTakeFirstOrThrow();
  return Number(count);
}

/** The next `count` uses of words that begin so, behind a position, each with its account: by word, then by id. */
export async function walkWords(
  { db }: Db,
  beginning: string,
  { after, count }: { readonly after: { readonly word: string; readonly id: number }; readonly count: number },
): Promise<(AccountRow & { readonly word: string })[]> {
  return db
    .selectFrom("account_words")
    .innerJoin("accounts", "accounts.id", "account_words.account_id")
    .selectAll("accounts")
    .select("account_words.word")
    .where(sql<boolean>`(account_words.word, account_words.account_id) > (${after.word}, ${after.id})`)
    .where("account_words.word", "<", endOfWords(beginning))
    .orderBy("account_words.word")
    .orderBy("account_words.account_id")
    .limit(count)
    .execute();
}

/** Behind every word that begins so, but for one that no account has. */
function endOfWords(beginning: string): string {
  return `${beginning}\u{10FFFF}`;
}

/** Accounts of one role and state: what an index keeps in the order of their ids. */
export type AccountKind = { readonly role: Role; readonly disabled: 0 | 1 };

/** At most `count` accounts of a kind, or of any, behind an id and in the order of their ids. */
export async function listAccountsAfter(
  { db }: Db,
  kind: AccountKind | undefined,
  { after, count }: { readonly after: number; readonly count: number },
): Promise<AccountRow[]> {
  let query = db.selectFrom("accounts").selectAll().where("id", ">", after).orderBy("id").limit(count);
  if (kind !== undefined) query = query.where("role", "=", kind.role).where("disabled", "=", kind.disabled);
  return query.execute();
}
