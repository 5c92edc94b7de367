import type { Compilable, CompiledQuery, Kysely } from "kysely";
import type { Awaitable } from "../awaitable.ts";
import { directReadOf } from "./direct-reads.ts";
import type { Tables } from "./tables.ts";

/**
 * Runs the query on this database or transaction; the rows in the order the query asks for. A read is answered at once
 * where the database can: what fails then throws, it does not reject.
 */
export type PreparedQuery<Parameters extends readonly unknown[], Row> = (
  db: Kysely<Tables>,
  ...parameters: Parameters
) => Awaitable<readonly Row[]>;

/** Where each value of the SQL comes from: a position among the parameters, or a constant of the query. */
type Template<Row> = {
  readonly compiled: CompiledQuery<Row>;
  readonly values: readonly unknown[];
  readonly isRead: boolean;
};

export type PreparedQueryOptions = {
  /** For a read by one parameter that nearly every request does: see remembered-rows.ts. No time and no chance in it. */
  readonly isRemembered?: boolean;
};

class Placeholder {
  readonly position: number;

  constructor(position: number) {
    this.position = position;
  }
}

const statementNames = new Map<string, string>();

/**
 * The name under which this SQL is prepared on each connection to PostgreSQL, parsed and planned once; undefined for
 * SQL that is none of ours here. Few by nature: one for each `prepareQuery` in the sources.
 */
export function statementName(sql: string): string | undefined {
  return statementNames.get(sql);
}

/**
 * A query that is built and compiled once, not at each call: for the few that run on every request.
 *
 * `build` must hand its parameters on untouched, each at least once: while the query is compiled they are
 * placeholders, not values. No `if` on them, no template text, no arrays for `in`, no defaults.
 */
export function prepareQuery<Parameters extends readonly unknown[], Row>(
  build: (db: Kysely<Tables>, ...parameters: Parameters) => Compilable<Row>,
  { isRemembered = false }: PreparedQueryOptions = {},
): PreparedQuery<Parameters, Row> {
  // The adapter is the one object that an instance and its transactions have in common; SQL differs by dialect.
  const templates = new WeakMap<object, Template<Row>>();
  return (db, ...parameters) => {
    const { adapter } = db.getExecutor();
    let template = templates.get(adapter);
    if (template === undefined) {
      template = compile(build, db);
      templates.set(adapter, template);
    }
    const values = template.values.map((value) => (value instanceof Placeholder ? parameters[value.position] : value));
    if (template.isRead && !db.isTransaction) {
      const { sql } = template.compiled;
      const rows = directReadOf(adapter)?.({ sql, parameters: values, isRemembered });
      if (rows !== undefined) return rows as Awaitable<readonly Row[]>;
    }
    return execute(db, { ...template.compiled, parameters: values });
  };
}

async function execute<Row>(db: Kysely<Tables>, query: CompiledQuery<Row>): Promise<readonly Row[]> {
  const { rows } = await db.executeQuery<Row>(query);
  return rows;
}

function compile<Parameters extends readonly unknown[], Row>(
  build: (db: Kysely<Tables>, ...parameters: Parameters) => Compilable<Row>,
  db: Kysely<Tables>,
): Template<Row> {
  const placeholders = Array.from({ length: build.length - 1 }, (_, position) => new Placeholder(position));
  // The one place where the types do not tell the truth: see what build must not do, above.
  const compiled = build(db, ...(placeholders as unknown as Parameters)).compile();
  const unused = placeholders.find((placeholder) => !compiled.parameters.includes(placeholder));
  if (unused !== undefined) {
    throw new Error(`Parameter ${unused.position + 1} of a prepared query does not reach its SQL: ${compiled.sql}`);
  }
  if (!statementNames.has(compiled.sql)) statementNames.set(compiled.sql, `tollgate_${statementNames.size + 1}`);
  return { compiled, values: compiled.parameters, isRead: compiled.query.kind === "SelectQueryNode" };
}
