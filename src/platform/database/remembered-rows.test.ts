import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { Worker } from "node:worker_threads";
import type { Kysely } from "kysely";
import { databaseOf, openTestDatabase, openUrl, sharedDatabase } from "../../../test/support/test-database.ts";
import { inTransaction } from "./transaction.ts";
import { prepareQuery } from "./prepared-query.ts";
import type { Tables } from "./tables.ts";

const nameOf = prepareQuery(
  (db, id: number) => db.selectFrom("accounts").select(["id", "display_name"]).where("id", "=", id),
  { isRemembered: true },
);

async function addAccount(db: Kysely<Tables>, email = "ada@example.com"): Promise<void> {
  const row = { email, email_canonical: email, password_hash: "x", role: "user", created_at: 5 } as const;
  await db
    .insertInto("accounts")
    .values({ ...row, display_name: "0" })
    .execute();
}

const rename = (db: Kysely<Tables>, name: string) =>
  db.updateTable("accounts").set({ display_name: name }).where("id", "=", 1);

test("what is read again and again is the same row, that nobody can change", async (t) => {
  const db = await openTestDatabase(t);
  await addAccount(db);
  await nameOf(db, 1);
  const [first] = await nameOf(db, 1);
  const [again] = await nameOf(db, 1);
  assert.equal(again, first);
  assert.throws(() => Object.assign(first ?? {}, { display_name: "changed" }), TypeError);
  for (let time = 1; time <= 3; time += 1) assert.deepEqual(await nameOf(db, 2), []);
  await addAccount(db, "bob@example.com");
  assert.deepEqual(
    (await nameOf(db, 2)).map(({ display_name: name }) => name),
    ["0"],
    "also what was not there",
  );
});

test("whatever writes is seen by the next read, however it writes", async (t) => {
  const db = await openTestDatabase(t);
  await addAccount(db);
  const name = async (): Promise<string | null | undefined> => (await nameOf(db, 1))[0]?.display_name;
  const ways: readonly ((to: string) => Promise<unknown>)[] = [
    (to) => rename(db, to).execute(),
    (to) => rename(db, to).returning("id").execute(),
    (to) => inTransaction({ db }, async (tx) => rename(tx.db, to).execute()),
    (to) =>
      db
        .with("one", (one) => one.selectFrom("accounts").select("id"))
        .updateTable("accounts")
        .set({ display_name: to })
        .execute(),
    async (to) => {
      await db.deleteFrom("accounts").execute();
      await db
        .insertInto("accounts")
        .values({
          id: 1,
          email: "ada@example.com",
          email_canonical: "ada@example.com",
          password_hash: "x",
          role: "user",
          created_at: 5,
          display_name: to,
        })
        .execute();
    },
  ];
  for (const [index, write] of ways.entries()) {
    for (let time = 1; time <= 3; time += 1) await name();
    await write(`way ${index}`);
    assert.equal(await name(), `way ${index}`);
  }
});

test("nothing of a transaction is seen before its end, nor ever when it is undone", async (t) => {
  const db = await openTestDatabase(t);
  await addAccount(db);
  const name = async (): Promise<string | null | undefined> => (await nameOf(db, 1))[0]?.display_name;
  const seen: unknown[] = [await name(), await name(), await name()];
  let meanwhile: Promise<unknown> = Promise.resolve();
  const undone = inTransaction({ db }, async (tx) => {
    await rename(tx.db, "undone").execute();
    assert.equal((await nameOf(tx.db, 1))[0]?.display_name, "undone");
    meanwhile = name().then((one) => seen.push(one));
    throw new Error("undo");
  });
  await assert.rejects(undone, /undo/);
  await meanwhile;
  seen.push(await name());
  assert.deepEqual(seen, ["0", "0", "0", "0", "0"]);
});

/** Tells of each commit, and after every tenth waits for five reads: neither side does its work while the other sleeps. */
const writer = `
  const { DatabaseSync } = require("node:sqlite");
  const { workerData: { path, shared } } = require("node:worker_threads");
  const [acknowledged, reads, told] = [0, 1, new Int32Array(shared)];
  const database = new DatabaseSync(path, { timeout: 5000 });
  database.exec("pragma synchronous = off");
  const update = database.prepare("update accounts set display_name = ? where id = 1");
  for (let name = 1; name <= 2000; name += 1) {
    update.run(String(name));
    Atomics.store(told, acknowledged, name);
    const before = Atomics.load(told, reads);
    while (name % 10 === 0 && name < 2000 && Atomics.load(told, reads) < before + 5) Atomics.wait(told, reads, Atomics.load(told, reads), 5);
  }
  database.close();
`;

test("a commit of another connection is seen by every read that begins after it", async (t) => {
  const url = await sharedDatabase(t);
  const database = databaseOf(url);
  assert.ok(database.kind === "sqlite");
  const db = await openUrl(url);
  t.after(() => db.destroy());
  await addAccount(db);
  const shared = new SharedArrayBuffer(8);
  const [acknowledged, reads, told] = [0, 1, new Int32Array(shared)];
  const worker = new Worker(writer, { eval: true, workerData: { path: database.path, shared } });
  const ended = once(worker, "exit");
  const [lies, rows] = [[] as string[], new Set<unknown>()];
  for (let before = 0; before < 2000;) {
    before = Atomics.load(told, acknowledged);
    const [row] = await nameOf(db, 1);
    const name = Number(row?.display_name);
    if (name < before) lies.push(`${name} after ${before} was acknowledged`);
    rows.add(row);
    Atomics.add(told, reads, 1);
    Atomics.notify(told, reads);
    if (rows.size % 100 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  assert.deepEqual(await ended, [0]);
  assert.deepEqual(lies, []);
  const count = Atomics.load(told, reads);
  assert.ok(rows.size >= 100 && rows.size < count, `${rows.size} of ${count} reads brought a new row`);
});
