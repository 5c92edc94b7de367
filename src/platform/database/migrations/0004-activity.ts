import { sql } from "kysely";
import type { Migration } from "../migrate.ts";

/** How often things happened, by the minute and the quarter of an hour; and what the console asks of the rest. */
export const migration0004: Migration = {
  name: "0004-activity",
  up: async (db, { wholeNumber, orderedText, keyTableEnd }) => {
    await db.schema
      .createTable("activity")
      .addColumn("minutes", wholeNumber, (column) => column.notNull())
      .addColumn("starts_at", wholeNumber, (column) => column.notNull())
      .addColumn("name", orderedText, (column) => column.notNull())
      .addColumn("count", wholeNumber, (column) => column.notNull())
      .addPrimaryKeyConstraint("activity_key", ["minutes", "starts_at", "name"])
      .modifyEnd(keyTableEnd)
      .execute();
    // What happened of one kind, to anybody and to one account, the newest first.
    await db.schema.createIndex("events_type").on("events").columns(["type", "id"]).execute();
    await db.schema.createIndex("events_account_type").on("events").columns(["account_id", "type", "id"]).execute();
    // Sessions that are alive, of everybody and of one account: counted without a look at those that are over. The
    // index of the ends must then hold ends alone, or SQLite would look for those without one there, and sort them.
    await db.schema.dropIndex("sessions_end").execute();
    await db.schema
      .createIndex("sessions_end")
      .on("sessions")
      .column("ended_at")
      .where(sql.ref("ended_at"), "is not", null)
      .execute();
    await db.schema
      .createIndex("sessions_living")
      .on("sessions")
      .columns(["account_id", "last_used_at", "expires_at"])
      .where(sql.ref("ended_at"), "is", null)
      .execute();
  },
};
