import type { AbortableOperationOptions, CompiledQuery, DatabaseConnection, Dialect } from "kysely";
import type { Measure } from "../telemetry/measure.ts";
import { wrapDirectRead } from "./direct-reads.ts";

const kinds: Readonly<Record<string, string>> = {
  SelectQueryNode: "select",
  InsertQueryNode: "insert",
  UpdateQueryNode: "update",
  DeleteQueryNode: "delete",
};
const rawWords: ReadonlySet<string> = new Set(["begin", "commit", "rollback", "select"]);

/** Does the work that is nothing but waiting for a connection or a turn, and times it. */
export type MeasureWait = <T>(wait: () => Promise<T>) => Promise<T>;

export const unmeasured: MeasureWait = (wait) => wait();

export function waitsMeasuredBy(measure: Measure): MeasureWait {
  return (wait) => measure.wait("database", "wait", wait);
}

/**
 * The same database, whose statements are timed, and its waits with `measureWait`; a driver whose connections come when
 * they are first used times those itself. A connection is changed once and in place: the drivers call methods of their
 * own on it.
 */
export function withMeasure(dialect: Dialect, measure: Measure, measureWait: MeasureWait = unmeasured): Dialect {
  const measured = new WeakSet<DatabaseConnection>();
  return {
    createDriver: () => {
      const driver = dialect.createDriver();
      const acquire = driver.acquireConnection.bind(driver);
      driver.acquireConnection = async (options) => {
        const connection = await measureWait(() => acquire(options));
        if (!measured.has(connection)) measureStatements(connection, measure);
        measured.add(connection);
        return connection;
      };
      return driver;
    },
    createAdapter: () =>
      wrapDirectRead(dialect.createAdapter(), (read) => {
        const { atOnce } = measure;
        return atOnce && ((query) => atOnce("database", "select", () => read(query)));
      }),
    createQueryCompiler: () => dialect.createQueryCompiler(),
    createIntrospector: (db) => dialect.createIntrospector(db),
  };
}

function measureStatements(connection: DatabaseConnection, measure: Measure): void {
  const execute = connection.executeQuery.bind(connection);
  connection.executeQuery = <R>(query: CompiledQuery, options?: AbortableOperationOptions) =>
    measure.wait("database", statementOf(query), () => execute<R>(query, options));
}

/** A word of few: what is in a label is no text of a query. */
function statementOf({ query, sql }: CompiledQuery): string {
  const kind = kinds[query.kind];
  if (kind !== undefined) return kind;
  const word = /^\s*([a-z]+)/i.exec(sql)?.[1]?.toLowerCase() ?? "";
  return rawWords.has(word) ? word : "other";
}
