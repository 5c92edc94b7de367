import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import type { Kysely } from "kysely";
import { openTestDatabase } from "../../../test/support/test-database.ts";
import { prepareQuery } from "./prepared-query.ts";
import type { Tables } from "./tables.ts";

async function openWithAccounts(t: TestContext): Promise<Kysely<Tables>> {
  const db = await openTestDatabase(t);
  const rows = ["ada", "bob", "cyd"].map((name) => ({
    email: name,
    email_canonical: name,
    password_hash: "x",
    role: name === "ada" ? ("admin" as const) : ("user" as const),
    created_at: 5,
  }));
  await db.insertInto("accounts").values(rows).execute();
  return db;
}

test("compiles once, and puts parameters and constants where they belong", async (t) => {
  const db = await openWithAccounts(t);
  let builds = 0;
  const findUsers = prepareQuery((database, countMax: number, emailAfter: string) => {
    builds += 1;
    return database
      .selectFrom("accounts")
      .select("email")
      .where("role", "=", "user")
      .where("email", ">", emailAfter)
      .where("email_canonical", ">", emailAfter)
      .orderBy("email")
      .limit(countMax);
  });
  const emails = async (countMax: number, after: string): Promise<string[]> =>
    (await findUsers(db, countMax, after)).map((row) => row.email);
  assert.deepEqual(await emails(10, ""), ["bob", "cyd"]);
  assert.deepEqual(await emails(1, ""), ["bob"]);
  assert.deepEqual(await emails(10, "bob"), ["cyd"]);
  assert.deepEqual(await emails(10, "'; drop table accounts; --"), ["bob", "cyd"]);
  assert.equal(builds, 1);

  const other = await openWithAccounts(t);
  assert.equal((await findUsers(other, 10, "")).length, 2);
  assert.equal(builds, 2, "another instance may speak another dialect");
});

test("runs inside the transaction it is given", async (t) => {
  const db = await openWithAccounts(t);
  const findByEmail = prepareQuery((database, email: string) =>
    database.selectFrom("accounts").select("id").where("email", "=", email),
  );
  const undone = db.transaction().execute(async (tx) => {
    await tx.updateTable("accounts").set({ email: "eve" }).where("email", "=", "bob").execute();
    assert.equal((await findByEmail(tx, "eve")).length, 1);
    throw new Error("undo");
  });
  await assert.rejects(undone, /undo/);
  assert.deepEqual(await findByEmail(db, "eve"), []);
  assert.equal((await findByEmail(db, "bob")).length, 1);
});

test("a parameter that does not reach the SQL is a mistake, said at the first call", async (t) => {
  const db = await openWithAccounts(t);
  const wrong = prepareQuery((database, email: string) =>
    database.selectFrom("accounts").select("id").where("email", "=", `${email}!`),
  );
  await assert.rejects(async () => wrong(db, "bob"), /Parameter 1 .* does not reach/);
});
