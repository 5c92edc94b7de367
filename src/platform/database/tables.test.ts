import assert from "node:assert/strict";
import { test } from "node:test";
import { sql, type SelectType } from "kysely";
import { isOnPostgres, openTestDatabase } from "../../../test/support/test-database.ts";
import { isUniqueViolation } from "./database-faults.ts";
import type { Tables } from "./tables.ts";

type Nullability<T> = null extends T ? "null" : "not null";

/**
 * tables.ts as a value. A type cannot be read at run time, so the compiler compares this list with tables.ts
 * (a column too many, too few or of other nullability does not compile), and the test compares it with the
 * migrated database.
 */
const columns = {
  accounts: {
    id: "not null",
    email: "not null",
    email_canonical: "not null",
    email_verified: "not null",
    password_hash: "not null",
    role: "not null",
    display_name: "null",
    disabled: "not null",
    created_at: "not null",
    password_change_required: "not null",
    locale: "null",
  },
  account_words: { word: "not null", account_id: "not null" },
  sessions: {
    id: "not null",
    account_id: "not null",
    created_at: "not null",
    authenticated_at: "not null",
    last_used_at: "not null",
    expires_at: "not null",
    ended_at: "null",
    end_reason: "null",
    address: "not null",
    user_agent: "null",
    refresh_secret: "not null",
    refresh_generation: "not null",
    refreshed_at: "null",
    refresh_key_tags: "not null",
  },
  signing_keys: {
    id: "not null",
    algorithm: "not null",
    public_jwk: "not null",
    private_key_encrypted: "not null",
    created_at: "not null",
    signs_at: "not null",
    retires_at: "null",
  },
  key_usage: { key_id: "not null", hour: "not null", tokens_seen: "not null", last_seen_at: "not null" },
  throwaway_accounts: { account_id: "not null", created_at: "not null" },
  activity: { minutes: "not null", starts_at: "not null", name: "not null", count: "not null" },
  mails: {
    id: "not null",
    kind: "not null",
    account_id: "null",
    recipient: "null",
    state: "not null",
    content_encrypted: "null",
    created_at: "not null",
    expires_at: "not null",
    due_at: "null",
    claim: "null",
    tries: "not null",
    handed_over: "not null",
    browser_tag: "null",
  },
  mail_steps: { id: "not null", mail_id: "not null", at: "not null", step: "not null", words: "null" },
  mail_tokens: {
    id: "not null",
    purpose: "not null",
    account_id: "null",
    mail_id: "not null",
    email_canonical: "null",
    subject: "null",
    link_mac: "not null",
    flow_mac: "null",
    code_mac: "null",
    code_tries: "not null",
    code_expires_at: "null",
    created_at: "not null",
    expires_at: "not null",
    used_at: "null",
  },
  idempotent_answers: {
    id: "not null",
    request_tag: "not null",
    answer_encrypted: "not null",
    created_at: "not null",
  },
  events: {
    id: "not null",
    at: "not null",
    type: "not null",
    actor_id: "null",
    account_id: "null",
    request_id: "null",
    address: "null",
    payload: "not null",
  },
  moves: {
    id: "not null",
    state: "not null",
    other: "not null",
    started_at: "not null",
    read_only_until: "not null",
  },
  migrations: { name: "not null", applied_at: "not null" },
} satisfies { [T in keyof Tables]: { [C in keyof Tables[T]]: Nullability<SelectType<Tables[T][C]>> } };

const account = { email: "A@b.c", email_canonical: "a@b.c", password_hash: "x", role: "user", created_at: 1 } as const;

test("tables.ts and the migrations agree", async (t) => {
  const db = await openTestDatabase(t);
  const migrated: Record<string, Record<string, string>> = {};
  for (const table of await db.introspection.getTables()) {
    const named = table.columns.map((column) => [column.name, column.isNullable ? "null" : "not null"]);
    migrated[table.name] = Object.fromEntries(named) as Record<string, string>;
  }
  assert.deepEqual(migrated, columns);

  const loose = isOnPostgres
    ? sql<{ name: string }>`
        select table_name || '.' || column_name as name from information_schema.columns
        where table_schema = 'public' and data_type not in ('bigint', 'text', 'bytea')`
    : sql<{ name: string }>`select name from pragma_table_list where strict = 0 and name not like 'sqlite_%'`;
  const { rows } = await loose.execute(db);
  assert.deepEqual(
    rows.map(({ name }) => name),
    [],
    "on SQLite a table is STRICT, on PostgreSQL a number has 64 bits: take the words of SchemaWords",
  );
});

test("the database keeps what must hold whoever writes", async (t) => {
  const db = await openTestDatabase(t);
  const insert = (values: object): Promise<unknown> =>
    db
      .insertInto("accounts")
      .values({ ...account, ...values })
      .execute();
  await insert({});
  await assert.rejects(insert({ email: "a@B.C" }), (error) => isUniqueViolation(error, "accounts.email_canonical"));
  await assert.rejects(insert({ email_canonical: "d", role: "root" }), /accounts_role_is_known/);
  await assert.rejects(insert({ email_canonical: "d", disabled: 2 }), /accounts_disabled_is_boolean/);
  await assert.rejects(
    insert({ email_canonical: "d", created_at: "soon" }),
    /cannot store TEXT|invalid input syntax for type bigint/,
  );
  const kept = await db.selectFrom("accounts").select(["id", "email", "email_verified", "disabled"]).execute();
  assert.deepEqual(
    kept.map((row) => ({ ...row })),
    [{ id: 1, email: "A@b.c", email_verified: 0, disabled: 0 }],
  );
});

test("sessions go with their account, its events stay, and its number is never given again", async (t) => {
  const db = await openTestDatabase(t);
  await db.insertInto("accounts").values(account).execute();
  const refresh = { refresh_secret: new Uint8Array(1), refresh_generation: 1, refresh_key_tags: "" };
  const times = { created_at: 1, authenticated_at: 1, last_used_at: 1, expires_at: 2, ...refresh };
  await db
    .insertInto("sessions")
    .values({ id: "s", account_id: 1, address: "::1", ...times })
    .execute();
  await db.insertInto("events").values({ at: 1, type: "account/created", account_id: 1, payload: "{}" }).execute();
  const orphan = db
    .insertInto("sessions")
    .values({ id: "o", account_id: 9, address: "::1", ...times })
    .execute();
  await assert.rejects(orphan, /FOREIGN KEY|foreign key/);

  await db.deleteFrom("accounts").where("id", "=", 1).execute();
  assert.deepEqual(await db.selectFrom("sessions").select("id").execute(), []);
  assert.equal((await db.selectFrom("events").select("id").execute()).length, 1);
  const next = await db.insertInto("accounts").values(account).returning("id").executeTakeFirstOrThrow();
  assert.equal(next.id, 2);
});
