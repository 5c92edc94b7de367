import { PostgresAdapter, sql, type Kysely } from "kysely";
import type { Tables } from "./tables.ts";

/**
 * Makes the numbers that the database gives go on further ahead. A number is never given again; what was given after a
 * backup was made, the backup does not know.
 */
export async function skipNumbers(tx: Kysely<Tables>, count: number): Promise<void> {
  if (!(tx.getExecutor().adapter instanceof PostgresAdapter)) {
    await sql`update sqlite_sequence set seq = seq + ${count}`.execute(tx);
    return;
  }
  const { rows } = await sql<{ name: string }>`
    select quote_ident(sequencename) as name from pg_sequences where schemaname = current_schema()`.execute(tx);
  for (const { name } of rows) {
    await sql`select setval(${sql.lit(name)}::regclass, last_value + ${count}) from ${sql.raw(name)}`.execute(tx);
  }
}
