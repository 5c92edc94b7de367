import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { before, describe, test, after as whenDone } from "node:test";
import { type CompiledQuery, Kysely, sql } from "kysely";
import {
  accountWords,
  compareCodePoints,
  firstWordWith,
  searchedWords,
} from "../../platform/database/account-words.ts";
import { openDatabase } from "../../platform/database/database.ts";
import { sqliteDialect } from "../../platform/database/sqlite.ts";
import { openSqliteFile } from "../../platform/database/sqlite-file.ts";
import type { AccountRow, Tables } from "../../platform/database/tables.ts";
import { type AccountFilter, findAccountPage } from "./account-search.ts";
import { deleteAccountRow, insertAccount, updateAccount } from "./accounts-store.ts";

const clock = { now: () => 1 };

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

test("finds what a look at every account finds, page by page, each once and in order", async () => {
  await using db = await openDatabase({ kind: "sqlite-memory" }, clock);
  const names = ["Ada", "Adam", "adä Lovelace", "Zoë Ada-Ada", "山田 Ada", null, "B Ada", "Zoë"];
  for (let index = 0; index < 800; index += 1) {
    const name = names[index % names.length] ?? null;
    await insertAccount({ db }, newAccount(`u${index}.x${index % 7}@d${index % 3}.example`, name));
  }
  for (let id = 3; id <= 800; id += 5) await updateAccount({ db }, id, { disabled: 1 });
  for (let id = 7; id <= 800; id += 400) await updateAccount({ db }, id, { role: "admin" });
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
    "u1599.",
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

test("the words are those of the accounts as they are, and nothing is left of a deleted one", async () => {
  await using db = await openDatabase({ kind: "sqlite-memory" }, clock);
  const { id } = await insertAccount({ db }, newAccount("ada@example.com"));
  const other = await insertAccount({ db }, newAccount("eve@example.com", "Eve"));
  await updateAccount({ db }, id, { display_name: "Countess Lovelace" });
  await updateAccount({ db }, id, { display_name: "Ada King", disabled: 1 });
  await updateAccount({ db }, id, { role: "admin" });
  const words = async (accountId: number): Promise<string[]> => {
    const rows = await db.selectFrom("account_words").select("word").where("account_id", "=", accountId).execute();
    return rows.map(({ word }) => word);
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
  const directory = mkdtempSync(join(tmpdir(), "tollgate-million-"));
  const queries: CompiledQuery[] = [];
  let rowsRead = 0;
  let db: Kysely<Tables>;

  before(async () => {
    const path = join(directory, "tollgate.db");
    await (await openDatabase({ kind: "sqlite", path }, clock)).destroy();
    const sqlite = await openSqliteFile(path);
    sqlite.exec("pragma synchronous = off"); // Only while it is filled; nothing here is about crashes.
    fill();
    sqlite.exec("pragma synchronous = full");
    db = new Kysely<Tables>({
      dialect: sqliteDialect(sqlite),
      log: ({ query }) => void queries.push(query),
      plugins: [
        {
          transformQuery: ({ node }) => node,
          transformResult: async ({ result }) => {
            rowsRead += result.rows.length;
            return result;
          },
        },
      ],
    });

    /** Everyone is called so; a thousand all over, the first and the last thousand have a word of their own. */
    function fill(): void {
      const name = `'Everyone' || iif(i % 1000 = 0, ' Spread', '') || iif(i <= 1000, ' Early', '') || iif(i > 999000, ' Late', '')`;
      sqlite.exec(`
        create temp table numbers as
          with recursive n (i) as (select 1 union all select i + 1 from n where i < ${million}) select i from n;
        insert into accounts (id, email, email_canonical, password_hash, role, display_name, disabled, created_at)
          select i, 'u' || i || '@d.example', 'u' || i || '@d.example', 'x', iif(i % 300000 = 0, 'admin', 'user'),
            ${name}, i % 100000 = 0, 1 from numbers;
        insert into account_words (word, account_id)
          select word, id from (
            select email as word, id from accounts
            union all select 'd.example', id from accounts
            union all select 'everyone', id from accounts
            union all select 'spread', id from accounts where id % 1000 = 0
            union all select 'early', id from accounts where id <= 1000
            union all select 'late', id from accounts where id > 999000
          ) order by word, id;`);
    }
  });

  whenDone(async () => {
    await db.destroy();
    rmSync(directory, { recursive: true });
  });

  /** One page: what it holds and how many rows the database gave for it. */
  async function look(
    filter: AccountFilter,
    from?: string,
  ): Promise<{ ids: number[]; next: string | undefined; rows: number }> {
    rowsRead = 0;
    const { accounts, next } = await findAccountPage({ db }, filter, { from, count: 50 });
    return { ids: accounts.map(({ id }) => id), next, rows: rowsRead };
  }

  test("the words are what the accounts would have been given", async () => {
    for (const id of [1, 777, 1000, 500_000, 999_500, million]) {
      const account = await db.selectFrom("accounts").selectAll().where("id", "=", id).executeTakeFirstOrThrow();
      const { rows } = await sql<{
        word: string;
      }>`select word from account_words where account_id = ${id} and word in (${sql.join(accountWords(account))})`.execute(
        db,
      );
      assert.equal(rows.length, accountWords(account).length);
    }
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
    const { ids, pages } = await readAll(db, { text: "spread", disabled: false }, 200);
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
    const statements = new Map(queries.map((query) => [query.sql, query]));
    assert.ok(statements.size >= 4);
    for (const query of statements.values()) {
      if (query.sql.startsWith("select word from")) continue; // This test's own.
      const { rows } = await db.executeQuery<{ detail: string }>({ ...query, sql: `explain query plan ${query.sql}` });
      for (const { detail } of rows)
        assert.doesNotMatch(detail, /SCAN (?!counted)|TEMP B-TREE/, `${query.sql}: ${detail}`);
    }
  });
});
