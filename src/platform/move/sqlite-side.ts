import { Kysely, sql } from "kysely";
import type { DatabaseSync } from "node:sqlite";
import { guardTables, unguardTables } from "../database/read-only-window.ts";
import { sqliteDialect } from "../database/sqlite.ts";
import { openSqliteFile } from "../database/sqlite-file.ts";
import { sqliteTarget } from "../database/migrate.ts";
import type { Tables } from "../database/tables.ts";
import { inTransaction } from "../database/transaction.ts";
import { hexOf, rowsPerStep, type MoveSide, type Row } from "./move-side.ts";
import type { MovedTable } from "./moved-tables.ts";

/** The file of a move; `reader` is a connection of its own, which sees the schema and reads while the other one writes. */
export type SqliteSide = MoveSide & { readonly reader: DatabaseSync };

export async function openSqliteSide(path: string): Promise<SqliteSide> {
  const reader = await openSqliteFile(path);
  const db = new Kysely<Tables>({ dialect: sqliteDialect(await openSqliteFile(path)) });
  const tableNames = (): Promise<readonly string[]> => sqliteTarget.tableNames(db);
  return {
    place: path,
    db,
    reader,
    tableNames,
    count: async ({ name }) => Number(reader.prepare(`select count(*) as n from "${name}"`).get()?.["n"]),
    read: (table) => readRows(reader, table),
    insert: (table, rows) => writeGuarded(db, tableNames, (tx) => insertRows(tx, table, rows)),
    remove: (table, rows) => writeGuarded(db, tableNames, (tx) => removeRows(tx, table, rows)),
    lastNumber: async ({ name }) =>
      Number(reader.prepare("select seq from sqlite_sequence where name = ?").get(name)?.["seq"] ?? 0),
    setLastNumber: async ({ name }, number) => {
      // SQLite's own table, which has no key: it takes a number as it is.
      await inTransaction({ db }, async (tx) => {
        await sql`delete from sqlite_sequence where name = ${name}`.execute(tx.db);
        await sql`insert into sqlite_sequence (name, seq) values (${name}, ${number})`.execute(tx.db);
      });
    },
    close: async () => {
      reader.close();
      await db.destroy();
    },
  };
}

async function* readRows(
  reader: DatabaseSync,
  { name, columns, key }: MovedTable,
): AsyncGenerator<readonly Row[], undefined> {
  const order = key.map((column) => `"${column.name}"`).join(", ");
  const statement = reader.prepare(
    `select ${columns.map((column) => `"${column.name}"`).join(", ")} from "${name}" order by ${order}`,
  );
  let some: Row[] = [];
  for (const row of statement.iterate()) {
    some.push(row as Row);
    if (some.length < rowsPerStep) continue;
    yield some;
    some = [];
  }
  if (some.length > 0) yield some;
  return undefined;
}

/**
 * The file was left, and nobody but the move may write it: a server that was never stopped must not. So the guards go
 * and come back within the one transaction.
 */
async function writeGuarded(
  db: Kysely<Tables>,
  tableNames: () => Promise<readonly string[]>,
  write: (tx: Kysely<Tables>) => Promise<void>,
): Promise<void> {
  const tables = await tableNames();
  await inTransaction({ db }, async (tx) => {
    await unguardTables(tx.db, tables);
    await write(tx.db);
    await guardTables(tx.db, tables, 0);
  });
}

async function insertRows(tx: Kysely<Tables>, { name, columns }: MovedTable, rows: readonly Row[]): Promise<void> {
  const values = columns.map(({ type }, index) => {
    const value = sql`json_extract(value, ${sql.lit(`$[${index}]`)})`;
    return type === "blob" ? sql`unhex(${value})` : value;
  });
  await sql`insert into ${sql.table(name)} (${sql.join(columns.map((column) => sql.ref(column.name)))})
    select ${sql.join(values)} from json_each(${JSON.stringify(rows.map((row) => columns.map((column) => plain(row[column.name]))))})`.execute(
    tx,
  );
}

async function removeRows(tx: Kysely<Tables>, { name, key }: MovedTable, rows: readonly Row[]): Promise<void> {
  const columns = sql.join(key.map((column) => sql.ref(column.name)));
  const parts = sql.join(key.map((_, index) => sql`json_extract(value, ${sql.lit(`$[${index}]`)})`));
  const keys = JSON.stringify(rows.map((row) => key.map((column) => row[column.name])));
  await sql`delete from ${sql.table(name)} where (${columns}) in (select ${parts} from json_each(${keys}))`.execute(tx);
}

function plain(value: Row[string] | undefined): number | string | null {
  return value instanceof Uint8Array ? hexOf(value) : (value ?? null);
}
