import type { Migration } from "../migrate.ts";

/** Which accounts were made for trying out, in development: they go by themselves. */
export const migration0005: Migration = {
  name: "0005-throwaway-accounts",
  up: async (db, { wholeNumber, tableEnd }) => {
    await db.schema
      .createTable("throwaway_accounts")
      .addColumn("account_id", wholeNumber, (column) =>
        column.primaryKey().notNull().references("accounts.id").onDelete("cascade"),
      )
      .addColumn("created_at", wholeNumber, (column) => column.notNull())
      .modifyEnd(tableEnd)
      .execute();
  },
};
