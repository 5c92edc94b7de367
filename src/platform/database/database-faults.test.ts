import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test, type TestContext } from "node:test";
import { Kysely, sql } from "kysely";
import { openDatabase } from "./database.ts";
import { isDatabaseUnavailable, isUniqueViolation } from "./database-faults.ts";
import { sqliteDialect } from "./sqlite.ts";
import type { Tables } from "./tables.ts";
import { inTransaction } from "./transaction.ts";

const account = { email: "a@b.c", email_canonical: "a@b.c", password_hash: "x", role: "user", created_at: 1 } as const;

async function openFile(t: TestContext): Promise<{ db: Kysely<Tables>; path: string }> {
  const directory = mkdtempSync(join(tmpdir(), "tollgate-faults-"));
  const path = join(directory, "tollgate.db");
  const db = await openDatabase({ kind: "sqlite", path }, { now: () => 1 });
  t.after(async () => {
    await db.destroy();
    rmSync(directory, { recursive: true });
  });
  return { db, path };
}

async function failureOf(work: Promise<unknown>): Promise<unknown> {
  return await work.then(
    () => assert.fail("it should have failed"),
    (error: unknown) => error,
  );
}

test("a row that is there already is told from other faults, and which column it was", async (t) => {
  const { db } = await openFile(t);
  await db.insertInto("accounts").values(account).execute();
  const twice = await failureOf(db.insertInto("accounts").values(account).execute());
  assert.equal(isUniqueViolation(twice), true);
  assert.equal(isUniqueViolation(twice, "accounts.email_canonical"), true);
  assert.equal(isUniqueViolation(twice, "accounts.email"), false);
  assert.equal(isDatabaseUnavailable(twice), false);

  const sameKey = await failureOf(
    db
      .insertInto("accounts")
      .values({ ...account, id: 1, email_canonical: "b" })
      .execute(),
  );
  assert.equal(isUniqueViolation(sameKey, "accounts.id"), true);

  const mistake = await failureOf(sql`select 1 from nowhere`.execute(db));
  for (const other of [mistake, new Error("UNIQUE constraint failed: accounts.id"), undefined, "text"]) {
    assert.equal(isUniqueViolation(other), false);
    assert.equal(isDatabaseUnavailable(other), false);
  }
});

// X3
test("on a full disk a write fails as a whole, reads go on, and writes work again once there is room", async (t) => {
  const { db } = await openFile(t);
  const { rows } = await sql<{ page_count: number }>`pragma page_count`.execute(db);
  await sql`pragma max_page_count = ${sql.lit((rows[0]?.page_count ?? 0) + 2)}`.execute(db);

  const fill = inTransaction({ db }, async (tx) => {
    for (let number = 0; number < 100; number++) {
      const name = `${number}`.padStart(1_000, "x");
      await tx.db
        .insertInto("accounts")
        .values({ ...account, email: name, email_canonical: name })
        .execute();
    }
  });
  const full = await failureOf(fill);
  assert.match(String(full), /database or disk is full/);
  assert.equal(isDatabaseUnavailable(full), true);
  assert.deepEqual(await db.selectFrom("accounts").select("id").execute(), []);

  await sql`pragma max_page_count = 1000000`.execute(db);
  await inTransaction({ db }, (tx) => tx.db.insertInto("accounts").values(account).execute());
  assert.equal((await db.selectFrom("accounts").select("id").execute()).length, 1);
});

// X5
test("a lock that another process holds too long is a database that cannot be reached; reads do not wait", async (t) => {
  const { db, path } = await openFile(t);
  await sql`pragma busy_timeout = 20`.execute(db);
  const other = new DatabaseSync(path);
  other.exec("begin immediate");
  const busy = await failureOf(inTransaction({ db }, async () => "never"));
  assert.match(String(busy), /database is locked/);
  assert.equal(isDatabaseUnavailable(busy), true);
  assert.deepEqual(await db.selectFrom("accounts").select("id").execute(), []);
  other.exec("rollback");
  other.close();
  assert.equal(await inTransaction({ db }, async () => "free again"), "free again");
});

test("a closed database is one that cannot be reached", async (t) => {
  const { db } = await openFile(t);
  const select = db.selectFrom("accounts").select("id");
  await select.execute();
  await db.destroy();
  assert.equal(isDatabaseUnavailable(await failureOf(select.execute())), true);

  const raw = new DatabaseSync(":memory:");
  const under = new Kysely<Tables>({ dialect: sqliteDialect(raw) });
  await sql`select 1`.execute(under);
  raw.close();
  assert.equal(isDatabaseUnavailable(await failureOf(sql`select 1`.execute(under))), true);
  assert.equal(isDatabaseUnavailable(await failureOf(sql`select 2`.execute(under))), true);
});
