import type { Migration } from "../migrate.ts";

/** The move to another database that is under way or was done, and until when nobody may write meanwhile. */
export const migration0007: Migration = {
  name: "0007-moves",
  up: async (db, { wholeNumber, tableEnd }) => {
    await db.schema
      .createTable("moves")
      .addColumn("id", "text", (column) => column.primaryKey().notNull())
      .addColumn("state", "text", (column) => column.notNull())
      .addColumn("other", "text", (column) => column.notNull())
      .addColumn("started_at", wholeNumber, (column) => column.notNull())
      .addColumn("read_only_until", wholeNumber, (column) => column.notNull())
      .modifyEnd(tableEnd)
      .execute();
  },
};
