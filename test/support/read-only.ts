import type { Kysely } from "kysely";
import { guardTables, timeOf } from "../../src/platform/database/read-only-window.ts";
import type { Tables } from "../../src/platform/database/tables.ts";

/** Lets nobody write for so long, as a promotion does. */
export async function openReadOnlyWindow(db: Kysely<Tables>, milliseconds = 60_000): Promise<void> {
  await db.transaction().execute(async (tx) => {
    const until = (await timeOf(tx)) + milliseconds;
    const row = { id: "m", state: "leaving", other: "elsewhere", started_at: 1, read_only_until: until } as const;
    await tx.insertInto("moves").values(row).execute();
    await guardTables(
      tx,
      (await tx.introspection.getTables()).map(({ name }) => name),
      until,
    );
  });
}
