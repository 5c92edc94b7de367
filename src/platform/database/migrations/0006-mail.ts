import { sql } from "kysely";
import type { Migration, MigrationDatabase, SchemaWords } from "../migrate.ts";

/** The mail that is to go and what became of it, the one-time tokens in it, and the language it is written in. */
export const migration0006: Migration = {
  name: "0006-mail",
  up: async (db, words) => {
    await db.schema.alterTable("accounts").addColumn("locale", "text").execute();
    await createMails(db, words);
    await createMailSteps(db, words);
    await createMailTokens(db, words);
  },
};

async function createMails(db: MigrationDatabase, { wholeNumber, bytes, tableEnd }: SchemaWords): Promise<void> {
  await db.schema
    .createTable("mails")
    .addColumn("id", "text", (column) => column.primaryKey().notNull())
    .addColumn("kind", "text", (column) => column.notNull())
    .addColumn("account_id", wholeNumber, (column) => column.references("accounts.id").onDelete("cascade"))
    .addColumn("recipient", "text")
    .addColumn("state", "text", (column) => column.notNull())
    .addColumn("content_encrypted", bytes)
    .addColumn("created_at", wholeNumber, (column) => column.notNull())
    .addColumn("expires_at", wholeNumber, (column) => column.notNull())
    .addColumn("due_at", wholeNumber)
    .addColumn("claim", "text")
    .addColumn("tries", wholeNumber, (column) => column.notNull())
    .addColumn("handed_over", wholeNumber, (column) => column.notNull())
    .addColumn("browser_tag", "text")
    // What need not be sent any more keeps no content: it may hold a token.
    .addCheckConstraint("mails_content_is_for_sending", sql`(due_at is null) = (content_encrypted is null)`)
    .modifyEnd(tableEnd)
    .execute();
  await db.schema.createIndex("mails_due").on("mails").column("due_at").execute();
  await db.schema.createIndex("mails_age").on("mails").columns(["created_at", "id"]).execute();
  await db.schema.createIndex("mails_account").on("mails").columns(["account_id", "created_at"]).execute();
}

async function createMailSteps(
  db: MigrationDatabase,
  { wholeNumber, newNumber, tableEnd }: SchemaWords,
): Promise<void> {
  await db.schema
    .createTable("mail_steps")
    .addColumn("id", wholeNumber, newNumber)
    .addColumn("mail_id", "text", (column) => column.notNull().references("mails.id").onDelete("cascade"))
    .addColumn("at", wholeNumber, (column) => column.notNull())
    .addColumn("step", "text", (column) => column.notNull())
    .addColumn("words", "text")
    .modifyEnd(tableEnd)
    .execute();
  await db.schema.createIndex("mail_steps_mail").on("mail_steps").columns(["mail_id", "id"]).execute();
}

async function createMailTokens(db: MigrationDatabase, { wholeNumber, bytes, tableEnd }: SchemaWords): Promise<void> {
  await db.schema
    .createTable("mail_tokens")
    .addColumn("id", "text", (column) => column.primaryKey().notNull())
    .addColumn("purpose", "text", (column) => column.notNull())
    .addColumn("account_id", wholeNumber, (column) => column.references("accounts.id").onDelete("cascade"))
    .addColumn("mail_id", "text", (column) => column.notNull().references("mails.id").onDelete("cascade"))
    .addColumn("email_canonical", "text")
    .addColumn("subject", "text")
    .addColumn("link_mac", bytes, (column) => column.notNull())
    .addColumn("flow_mac", bytes)
    .addColumn("code_mac", bytes)
    .addColumn("code_tries", wholeNumber, (column) => column.notNull())
    .addColumn("code_expires_at", wholeNumber)
    .addColumn("created_at", wholeNumber, (column) => column.notNull())
    .addColumn("expires_at", wholeNumber, (column) => column.notNull())
    .addColumn("used_at", wholeNumber)
    .modifyEnd(tableEnd)
    .execute();
  await db.schema.createIndex("mail_tokens_link").unique().on("mail_tokens").column("link_mac").execute();
  await db.schema.createIndex("mail_tokens_flow").unique().on("mail_tokens").column("flow_mac").execute();
  await db.schema.createIndex("mail_tokens_account").on("mail_tokens").columns(["account_id", "purpose"]).execute();
  await db.schema.createIndex("mail_tokens_mail").on("mail_tokens").column("mail_id").execute();
}
