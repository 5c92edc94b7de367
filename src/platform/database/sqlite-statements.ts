import type { DatabaseSync, SQLInputValue } from "node:sqlite";
import type { SqliteDatabase, SqliteStatement } from "kysely";

const statementsMax = 200;

/**
 * node:sqlite in the shape Kysely's driver expects, with the latest statements kept prepared by their SQL. `onWritten`
 * after whatever may have written.
 */
export function rememberStatements(database: DatabaseSync, onWritten: () => void = () => undefined): SqliteDatabase {
  const statements = new Map<string, SqliteStatement>();
  return {
    close: () => {
      statements.clear();
      database.close();
    },
    prepare: (sql) => {
      const known = statements.get(sql);
      if (known !== undefined) return known;
      const statement = prepare(database, sql, onWritten);
      statements.set(sql, statement);
      if (statements.size > statementsMax) statements.delete(statements.keys().next().value ?? sql); // The oldest.
      return statement;
    },
  };
}

/** Whatever does not begin as a read may write, `returning` rows or not. */
export function isPlainRead(sql: string): boolean {
  return /^select\b/i.test(sql);
}

function prepare(database: DatabaseSync, sql: string, onWritten: () => void): SqliteStatement {
  const statement = database.prepare(sql);
  const done = isPlainRead(sql) ? () => undefined : onWritten;
  const doing = <T>(work: () => T): T => {
    try {
      return work();
    } finally {
      done();
    }
  };
  return {
    reader: statement.columns().length > 0,
    all: (parameters) => doing(() => statement.all(...(parameters as readonly SQLInputValue[]))),
    run: (parameters) => doing(() => statement.run(...(parameters as readonly SQLInputValue[]))),
    iterate: (parameters) => doing(() => statement.iterate(...(parameters as readonly SQLInputValue[]))),
  };
}
