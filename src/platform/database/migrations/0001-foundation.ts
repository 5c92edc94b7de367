import { sql } from "kysely";
import type { Migration, MigrationDatabase, SchemaWords } from "../migrate.ts";

/** Accounts, their sessions, the keys that sign tokens, and the audit log. */
export const migration0001: Migration = {
  name: "0001-foundation",
  up: async (db, words) => {
    await createAccounts(db, words);
    await createSessions(db, words);
    await createSigningKeys(db, words);
    await createKeyUsage(db, words);
    await createIdempotentAnswers(db, words);
    await createEvents(db, words);
  },
};

async function createAccounts(db: MigrationDatabase, { wholeNumber, newNumber, tableEnd }: SchemaWords): Promise<void> {
  await db.schema
    .createTable("accounts")
    .addColumn("id", wholeNumber, newNumber)
    .addColumn("email", "text", (column) => column.notNull())
    .addColumn("email_canonical", "text", (column) => column.notNull())
    .addColumn("email_verified", wholeNumber, (column) => column.notNull().defaultTo(0))
    .addColumn("password_hash", "text", (column) => column.notNull())
    .addColumn("role", "text", (column) => column.notNull())
    .addColumn("display_name", "text")
    .addColumn("disabled", wholeNumber, (column) => column.notNull().defaultTo(0))
    .addColumn("created_at", wholeNumber, (column) => column.notNull())
    .addCheckConstraint("accounts_email_verified_is_boolean", sql`email_verified in (0, 1)`)
    .addCheckConstraint("accounts_role_is_known", sql`role in ('user', 'admin')`)
    .addCheckConstraint("accounts_disabled_is_boolean", sql`disabled in (0, 1)`)
    .modifyEnd(tableEnd)
    .execute();
  await db.schema.createIndex("accounts_email").unique().on("accounts").column("email_canonical").execute();
}

async function createSessions(db: MigrationDatabase, { wholeNumber, bytes, tableEnd }: SchemaWords): Promise<void> {
  await db.schema
    .createTable("sessions")
    .addColumn("id", "text", (column) => column.primaryKey().notNull())
    .addColumn("account_id", wholeNumber, (column) => column.notNull().references("accounts.id").onDelete("cascade"))
    .addColumn("created_at", wholeNumber, (column) => column.notNull())
    .addColumn("authenticated_at", wholeNumber, (column) => column.notNull())
    .addColumn("last_used_at", wholeNumber, (column) => column.notNull())
    .addColumn("expires_at", wholeNumber, (column) => column.notNull())
    .addColumn("ended_at", wholeNumber)
    .addColumn("end_reason", "text")
    .addColumn("address", "text", (column) => column.notNull())
    .addColumn("user_agent", "text")
    .addColumn("refresh_secret", bytes, (column) => column.notNull())
    .addColumn("refresh_generation", wholeNumber, (column) => column.notNull())
    .addColumn("refreshed_at", wholeNumber)
    .addColumn("refresh_key_tags", "text", (column) => column.notNull())
    .addCheckConstraint("sessions_end_has_reason", sql`(ended_at is null) = (end_reason is null)`)
    .modifyEnd(tableEnd)
    .execute();
  await db.schema.createIndex("sessions_account").on("sessions").column("account_id").execute();
  // For the purge: what expired or ended longest ago goes first.
  await db.schema.createIndex("sessions_expiry").on("sessions").column("expires_at").execute();
  await db.schema.createIndex("sessions_end").on("sessions").column("ended_at").execute();
}

async function createSigningKeys(db: MigrationDatabase, words: SchemaWords): Promise<void> {
  await db.schema
    .createTable("signing_keys")
    .addColumn("id", "text", (column) => column.primaryKey().notNull())
    .addColumn("algorithm", "text", (column) => column.notNull())
    .addColumn("public_jwk", "text", (column) => column.notNull())
    .addColumn("private_key_encrypted", words.bytes, (column) => column.notNull())
    .addColumn("created_at", words.wholeNumber, (column) => column.notNull())
    .addColumn("signs_at", words.wholeNumber, (column) => column.notNull())
    .addColumn("retires_at", words.wholeNumber)
    .addCheckConstraint("signing_keys_algorithm_is_known", sql`algorithm in ('ES256', 'EdDSA')`)
    .modifyEnd(words.tableEnd)
    .execute();
}

async function createKeyUsage(db: MigrationDatabase, { wholeNumber, tableEnd }: SchemaWords): Promise<void> {
  await db.schema
    .createTable("key_usage")
    .addColumn("key_id", "text", (column) => column.notNull())
    .addColumn("hour", wholeNumber, (column) => column.notNull())
    .addColumn("tokens_seen", wholeNumber, (column) => column.notNull())
    .addColumn("last_seen_at", wholeNumber, (column) => column.notNull())
    .addPrimaryKeyConstraint("key_usage_hour", ["key_id", "hour"])
    .modifyEnd(tableEnd)
    .execute();
}

async function createIdempotentAnswers(db: MigrationDatabase, words: SchemaWords): Promise<void> {
  await db.schema
    .createTable("idempotent_answers")
    .addColumn("id", "text", (column) => column.primaryKey().notNull())
    .addColumn("request_tag", "text", (column) => column.notNull())
    .addColumn("answer_encrypted", words.bytes, (column) => column.notNull())
    .addColumn("created_at", words.wholeNumber, (column) => column.notNull())
    .modifyEnd(words.tableEnd)
    .execute();
  await db.schema.createIndex("idempotent_answers_age").on("idempotent_answers").column("created_at").execute();
}

// No foreign keys: what happened stays on record when the account is gone.
async function createEvents(db: MigrationDatabase, { wholeNumber, newNumber, tableEnd }: SchemaWords): Promise<void> {
  await db.schema
    .createTable("events")
    .addColumn("id", wholeNumber, newNumber)
    .addColumn("at", wholeNumber, (column) => column.notNull())
    .addColumn("type", "text", (column) => column.notNull())
    .addColumn("actor_id", wholeNumber)
    .addColumn("account_id", wholeNumber)
    .addColumn("request_id", "text")
    .addColumn("address", "text")
    .addColumn("payload", "text", (column) => column.notNull())
    .modifyEnd(tableEnd)
    .execute();
  await db.schema.createIndex("events_account").on("events").columns(["account_id", "id"]).execute();
  await db.schema.createIndex("events_at").on("events").column("at").execute();
}
