import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import type { Kysely } from "kysely";
import { openTestDatabase } from "../../../test/support/test-database.ts";
import { openDatabase } from "./database.ts";
import { isDatabaseUnavailable } from "./database-faults.ts";
import type { Tables } from "./tables.ts";
import { inTransaction } from "./transaction.ts";

const clock = { now: () => 1_000 };
const account = { email: "a@b.c", email_canonical: "a@b.c", password_hash: "x", role: "user", created_at: 1 } as const;

async function openEmpty(t: TestContext): Promise<{ db: Kysely<Tables>; clock: typeof clock }> {
  return { db: await openTestDatabase(t, clock), clock };
}

const accountCount = async (platform: { db: Kysely<Tables> }): Promise<number> =>
  (await platform.db.selectFrom("accounts").select("id").execute()).length;

test("inside, the platform's database is the transaction, and the rest of the platform stays", async (t) => {
  const platform = await openEmpty(t);
  const answer = await inTransaction(platform, async (tx) => {
    assert.equal(tx.db.isTransaction, true);
    assert.equal(tx.clock, clock);
    await tx.db.insertInto("accounts").values(account).execute();
    return "kept";
  });
  assert.equal(answer, "kept");
  assert.equal(platform.db.isTransaction, false);
  assert.equal(await accountCount(platform), 1);
});

test("a throw undoes everything and arrives as it was", async (t) => {
  const platform = await openEmpty(t);
  const refusal = new Error("no");
  const attempt = inTransaction(platform, async (tx) => {
    await tx.db.insertInto("accounts").values(account).execute();
    throw refusal;
  });
  await assert.rejects(attempt, (error) => error === refusal);
  assert.equal(await accountCount(platform), 0);
});

test("a transaction inside a transaction is a mistake, said at once", async (t) => {
  const platform = await openEmpty(t);
  const attempt = inTransaction(platform, async (tx) => {
    await tx.db.insertInto("accounts").values(account).execute();
    return await inTransaction(tx, async () => "never");
  });
  await assert.rejects(attempt, /inside a transaction/);
  assert.equal(await accountCount(platform), 0);
});

test("with one connection, work that forgets tx is undone after a while instead of stopping the server for good", async (t) => {
  const platform = { db: await openDatabase({ kind: "sqlite-memory" }, clock) };
  t.after(() => platform.db.destroy());
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const attempt = inTransaction(platform, async (tx) => {
    await tx.db.insertInto("accounts").values(account).execute();
    const forgotten = accountCount(platform);
    t.mock.timers.tick(5_000);
    return await forgotten;
  });
  await assert.rejects(attempt, (error) => isDatabaseUnavailable(error) && /outside it/.test(String(error)));
  assert.equal(await accountCount(platform), 0);
});
