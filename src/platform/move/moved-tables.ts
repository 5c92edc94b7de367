import type { DatabaseSync } from "node:sqlite";

/** A table as a move sees it: read from the schema, so that none can be forgotten. */
export type MovedTable = {
  readonly name: string;
  readonly columns: readonly MovedColumn[];
  /** The columns of the primary key, in its order: rows are read and compared in the order of their keys. */
  readonly key: readonly MovedColumn[];
  /** The column whose numbers the database gives; it must go on where the other one stopped. */
  readonly numbered: string | undefined;
};

export type MovedColumn = { readonly name: string; readonly type: "integer" | "text" | "blob" };

/** What is not copied, and why. */
export const leftOut: ReadonlyMap<string, string> = new Map([
  ["migrations", "each database tells which migrations it has run itself, and when"],
  ["moves", "tells of the move itself, and of what the one database is in it"],
]);

/**
 * All tables that are copied, each after those that its foreign keys lead to: rows come in after those that they need,
 * and what goes with a row that is replaced is looked at after it.
 */
export function movedTables(sqlite: DatabaseSync): readonly MovedTable[] {
  const names = sqlite
    .prepare(
      "select name from sqlite_schema where type = 'table' and name not like 'sqlite#_%' escape '#' order by name",
    )
    .all()
    .map((row) => String(row["name"]))
    .filter((name) => !leftOut.has(name));
  const ordered: string[] = [];
  const visit = (name: string, way: readonly string[]): void => {
    if (ordered.includes(name)) return;
    if (way.includes(name)) throw new Error(`The foreign keys of ${way.join(", ")} go round in a circle.`);
    for (const parent of parentsOf(sqlite, name)) if (parent !== name) visit(parent, [...way, name]);
    ordered.push(name);
  };
  for (const name of names) visit(name, []);
  return ordered.map((name) => describe(sqlite, name));
}

function parentsOf(sqlite: DatabaseSync, name: string): string[] {
  const keys = sqlite.prepare('select "table" as parent from pragma_foreign_key_list(?)').all(name);
  return keys.map(({ parent }) => String(parent));
}

function describe(sqlite: DatabaseSync, name: string): MovedTable {
  const rows = sqlite.prepare("select name, lower(type) as type, pk from pragma_table_info(?)").all(name);
  const columns = rows.map((row) => ({ name: String(row["name"]), type: typeOf(name, row["type"]) }));
  const key = rows
    .map((row, index) => ({ column: columns[index], position: Number(row["pk"]) }))
    .filter(({ position }) => position > 0)
    .toSorted((one, other) => one.position - other.position)
    .flatMap(({ column }) => column ?? []);
  if (key.length === 0) throw new Error(`The table ${name} has no primary key: its rows cannot be told apart.`);
  const made = sqlite.prepare("select sql from sqlite_schema where type = 'table' and name = ?").get(name);
  const isNumbered = /\bautoincrement\b/i.test(String(made?.["sql"]));
  return { name, columns, key, numbered: isNumbered ? key[0]?.name : undefined };
}

function typeOf(table: string, type: unknown): MovedColumn["type"] {
  if (type === "integer" || type === "text" || type === "blob") return type;
  throw new Error(`The table ${table} has a column of the type ${String(type)}, which no move knows.`);
}
