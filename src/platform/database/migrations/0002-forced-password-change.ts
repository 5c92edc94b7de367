import { sql } from "kysely";
import type { Migration } from "../migrate.ts";

/** An account may have to change its password; and the purge finds sessions that idled out without reading them all. */
export const migration0002: Migration = {
  name: "0002-forced-password-change",
  up: async (db, { wholeNumber }) => {
    await db.schema
      .alterTable("accounts")
      .addColumn("password_change_required", wholeNumber, (column) =>
        column
          .notNull()
          .defaultTo(0)
          .check(sql`password_change_required in (0, 1)`),
      )
      .execute();
    await db.schema.createIndex("sessions_use").on("sessions").column("last_used_at").execute();
  },
};
