import assert from "node:assert/strict";
import { before, describe, test, after as whenDone } from "node:test";
import { type Kysely, sql } from "kysely";
import { watchQueries, type WatchedDatabase } from "../../../test/support/query-watch.ts";
import { query } from "../../../test/support/postgres-cluster.ts";
import { isOnPostgres, openTestDatabase, openUrl, sharedDatabase } from "../../../test/support/test-database.ts";
import {
  accountWords,
  compareCodePoints,
  firstWordWith,
  searchedWords,
} from "../../platform/database/account-words.ts";
import type { AccountRow, Tables } from "../../platform/database/tables.ts";
import { inTransaction } from "../../platform/database/transaction.ts";
import { type AccountFilter, findAccountPage } from "./account-search.ts";
import { deleteAccountRow, insertAccount, updateAccount } from "./accounts-store.ts";

function newAccount(email: string, displayName: string | null = null) {
  return {
    email,
    email_canonical: email,
    password_hash: "x",
    role: "user",
    display_name: displayName,
    created_at: 1,
  } as const;
}

/** All pages together, and how many there were. */
async function readAll(
  db: Kysely<Tables>,
  filter: AccountFilter,
  count: number,
): Promise<{ ids: number[]; pages: number }> {
  const ids: number[] = [];
  let from: string | undefined;
  for (let pages = 1; ; pages += 1) {
    const page = await findAccountPage({ db }, filter, { from, count });
    assert.ok(page.accounts.length <= count);
    ids.push(...page.accounts.map(({ id }) => id));
    if (page.next === undefined) return { ids, pages };
    from = page.next;
  }
}

/** What the search must find, told without an index: by the word, then by the id. */
function modelOf(accounts: readonly AccountRow[], { text = "", role, disabled }: AccountFilter): number[] {
  const words = searchedWords(text);
  if (text !== "" && words.length === 0) return [];
  const [first = ""] = words;
  return accounts
    .filter((account) => role === undefined || account.role === role)
    .filter((account) => disabled === undefined || (account.disabled === 1) === disabled)
    .map((account) => ({ id: account.id, own: accountWords(account) }))
    .filter(({ own }) => words.every((word) => own.some((ownWord) => ownWord.startsWith(word))))
    .map(({ id, own }) => ({ id, place: (words.length === 1 && firstWordWith(first, own)) || "" }))
    .toSorted((one, other) => compareCodePoints(one.place, other.place) || one.id - other.id)
    .map(({ id }) => id);
}

const byNumber = (one: number, other: number): number => one - other;

test("finds what a look at every account finds, page by page, each once and in order", async (t) => {
  const db = await openTestDatabase(t);
  const names = ["Ada", "Adam", "adä Lovelace", "Zoë Ada-Ada", "山田 Ada", null, "B Ada", "Zoë"];
  await inTransaction({ db }, async (tx) => {
    for (let index = 0; index < 800; index += 1) {
      const name = names[index % names.length] ?? null;
      await insertAccount(tx, newAccount(`u${index}.x${index % 7}@d${index % 3}.example`, name));
    }
    for (let id = 3; id <= 800; id += 5) await updateAccount(tx, id, { disabled: 1 });
    for (let id = 7; id <= 800; id += 400) await updateAccount(tx, id, { role: "admin" });
  });
  const accounts = await db.selectFrom("accounts").selectAll().execute();
  const texts = [
    undefined,
    "",
    "ada",
    "ADA",
    "adam",
    "zoe",
    "zoe ada",
    "ada zoe x3",
    "u15",
    "u799.",
    "d1.example",
    "田",
  ];
  const unfound = ["nobody", "%", "example", "lovelac_", "da", "ada nobody"];
  for (const text of [...texts, ...unfound]) {
    for (const role of [undefined, "admin", "user"] as const) {
      for (const disabled of [undefined, true, false]) {
        const filter = { text, role, disabled };
        const { ids } = await readAll(db, filter, 173);
        // With several things asked, the rarest gives the order.
        const isOrdered = role === undefined && disabled === undefined && searchedWords(text ?? "").length === 1;
        const [found, expected] = [ids, modelOf(accounts, filter)].map((list) =>
          isOrdered ? list : list.toSorted(byNumber),
        );
        assert.deepEqual(found, expected, JSON.stringify(filter));
      }
    }
  }
  for (const text of unfound) assert.deepEqual((await readAll(db, { text }, 50)).ids, [], text);
});

test("the words are those of the accounts as they are, and nothing is left of a deleted one", async (t) => {
  const db = await openTestDatabase(t);
  const { id } = await insertAccount({ db }, newAccount("ada@example.com"));
  const other = await insertAccount({ db }, newAccount("eve@example.com", "Eve"));
  await updateAccount({ db }, id, { display_name: "Countess Lovelace" });
  await updateAccount({ db }, id, { display_name: "Ada King", disabled: 1 });
  await updateAccount({ db }, id, { role: "admin" });
  const words = async (accountId: number): Promise<string[]> => {
    const rows = await db.selectFrom("account_words").select("word").where("account_id", "=", accountId).execute();
    return rows.map(({ word }) => word).toSorted();
  };
  assert.deepEqual(await words(id), ["ada", "ada@example.com", "example.com", "king"]);
  await updateAccount({ db }, id, { display_name: null });
  assert.deepEqual(await words(id), ["ada@example.com", "example.com"]);
  await deleteAccountRow({ db }, id);
  assert.deepEqual(await words(id), []);
  assert.deepEqual(await words(other.id), ["eve", "eve@example.com", "example.com"]);
});

describe("among a million accounts", () => {
  const million = 1_000_000;
  const cleanUp: (() => Promise<void> | void)[] = [];
  let watched: WatchedDatabase;

  before(async () => {
    const url = await sharedDatabase({ after: (work) => void cleanUp.push(work) });
    const db = await openUrl(url);
    cleanUp.unshift(() => db.destroy());
    watched = watchQueries(db);
    // Not by way of the server's own connections, which are not that patient.
    for (const text of fillings) await (isOnPostgres ? query(url, text) : sql.raw(text).execute(db));
  });

  whenDone(async () => {
    for (const work of cleanUp) await work();
  });

  /** Everyone is called so; a thousand all over, the first and the last thousand have a word of their own. */
  const fillings = [
    `insert into accounts (id, email, email_canonical, password_hash, role, display_name, disabled, created_at)
      with recursive n (i) as (select 1 union all select i + 1 from n where i < ${million})
      select i, 'u' || i || '@d.example', 'u' || i || '@d.example', 'x',
        case when i % 300000 = 0 then 'admin' else 'user' end,
        'Everyone' || case when i % 1000 = 0 then ' Spread' else '' end || case when i <= 1000 then ' Early' else '' end
          || case when i > 999000 then ' Late' else '' end,
        case when i % 100000 = 0 then 1 else 0 end, 1
      from n`,
    `insert into account_words (word, account_id)
      select word, id from (
        select email as word, id from accounts
        union all select 'd.example', id from accounts
        union all select 'everyone', id from accounts
        union all select 'spread', id from accounts where id % 1000 = 0
        union all select 'early', id from accounts where id <= 1000
        union all select 'late', id from accounts where id > 999000
      ) as words order by word, id`,
    // PostgreSQL does so by itself after a while; on SQLite nobody does.
    ...(isOnPostgres ? ["analyze"] : []),
  ];

  /** One page: what it holds and how many rows the database gave for it. */
  async function look(
    filter: AccountFilter,
    from?: string,
  ): Promise<{ ids: number[]; next: string | undefined; rows: number }> {
    watched.takeRowsRead();
    const { accounts, next } = await findAccountPage(watched, filter, { from, count: 50 });
    return { ids: accounts.map(({ id }) => id), next, rows: watched.takeRowsRead() };
  }

  test("the words are what the accounts would have been given", async () => {
    for (const id of [1, 777, 1000, 500_000, 999_500, million]) {
      const account = await watched.db
        .selectFrom("accounts")
        .selectAll()
        .where("id", "=", id)
        .executeTakeFirstOrThrow();
      const words = accountWords(account);
      const found = watched.db.selectFrom("account_words").select("word").where("account_id", "=", id);
      assert.equal((await found.where("word", "in", words).execute()).length, words.length);
    }
    watched.forget();
  });

  test("each page is found by looking at a few hundred rows, wherever it begins", async () => {
    const last = Array.from({ length: 50 }, (_, index) => 999_001 + index);
    const at = (word: string, id: number): string => JSON.stringify([word === "" ? -1 : 0, word, id]);
    const middle = at("everyone", 500_000);
    const cases: readonly [AccountFilter, string | undefined, readonly number[] | number, number][] = [
      // What is asked, from where, what is found (or how many), and how many rows that may take.
      [{}, undefined, 50, 51],
      [{}, at("", 500_000), 50, 51],
      [{ text: "u777777@" }, undefined, [777_777], 1],
      [{ text: "u77777" }, undefined, 11, 11],
      [{ text: "u" }, undefined, 50, 51],
      [{ text: "u" }, at("u5@d.example", 5), 50, 51],
      [{ text: "everyone" }, undefined, 50, 51],
      [{ text: "everyone" }, middle, 50, 51],
      [{ text: "d.ex" }, at("d.example", million), [], 0],
      [{ text: "late" }, undefined, last, 51],
      [{ text: "spread" }, at("spread", 999_000), [million], 1],
      [{ text: "nobody everyone" }, undefined, [], 2],
      [{ text: "everyone u777777" }, undefined, [777_777], 3],
      [{ text: "everyone late" }, undefined, last, 53],
      [{ text: "early spread" }, undefined, [1000], 1_003],
      [{ role: "admin" }, undefined, [300_000, 600_000, 900_000], 3],
      [{ role: "admin", text: "everyone" }, undefined, [300_000, 600_000, 900_000], 6],
      [{ role: "admin", text: "everyone" }, at("", 500_000), [600_000, 900_000], 2],
      [{ role: "user", text: "everyone" }, undefined, 50, 54],
      [{ role: "user", disabled: false }, at("", 999_990), 9, 9],
      [{ disabled: true }, at("", 500_000), [600_000, 700_000, 800_000, 900_000, million], 5],
      [{ disabled: true, role: "admin" }, undefined, [300_000, 600_000, 900_000], 3],
      [{ disabled: true, text: "everyone late" }, undefined, [million], 14],
    ];
    for (const [filter, from, expected, rowsMax] of cases) {
      const { ids, rows } = await look(filter, from);
      const name = `${JSON.stringify(filter)} from ${from}: ${rows} rows`;
      if (typeof expected === "number") assert.equal(ids.length, expected, name);
      else assert.deepEqual(ids, expected, name);
      assert.ok(rows <= rowsMax, `${name}, at most ${rowsMax}`);
    }
  });

  test("what is frequent twice and rare together is found in pages that may be short, and all of it", async () => {
    const { ids, pages } = await readAll(watched.db, { text: "spread", disabled: false }, 200);
    assert.equal(ids.length, 990);
    assert.ok(pages <= 6, `${pages} pages`);
    const { next, rows } = await look({ text: "everyone d.example u", role: "admin" });
    assert.equal(next, undefined);
    assert.ok(rows < 20, `${rows} rows`);
    // Nothing asked is rare, and the ids of what is found are far from the beginning.
    const late = await look({ text: "everyone u9999" });
    assert.ok(late.rows <= 2_100, `${late.rows} rows`);
  });

  test("every statement goes along an index, and none sorts or reads a whole table", async () => {
    const plans = await watched.plans();
    assert.ok(new Set(plans.map(({ sql }) => sql)).size >= 4);
    for (const { detail, sql } of plans) {
      assert.doesNotMatch(detail, /SCAN (?!counted)|TEMP B-TREE|Seq Scan|Sort/, `${sql}: ${detail}`);
    }
  });
});
