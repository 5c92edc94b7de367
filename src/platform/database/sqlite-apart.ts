import type { DatabaseSync } from "node:sqlite";
import { SqliteIntrospector, SqliteQueryCompiler } from "kysely";
import type { CompiledQuery, DatabaseConnection, Dialect, Driver, QueryResult, SqliteDatabase } from "kysely";
import { offerDirectRead } from "./direct-reads.ts";
import { type MeasureWait, unmeasured } from "./measured-database.ts";
import { rememberRows } from "./remembered-rows.ts";
import { isPlainRead, rememberStatements } from "./sqlite-statements.ts";
import type { SqliteWriter } from "./sqlite-writer.ts";
import { createSharedCommits, type SharedCommits } from "./shared-commits.ts";
import { sqliteTurns, TurnTakingAdapter } from "./sqlite.ts";
import type { Turns } from "./turns.ts";

/**
 * Kysely over two connections to one file: reads on this thread, in no time; whatever writes, and everything in a
 * transaction, by the writer, one at a time. A commit waits for the disk there, and who only reads goes on here.
 *
 * A read outside of transactions sees what is committed when it is made, as from another process.
 */
export function sqliteApartDialect(
  reader: DatabaseSync,
  writer: SqliteWriter,
  measureWait: MeasureWait = unmeasured,
): Dialect {
  reader.exec("pragma query_only = on");
  const statements = rememberStatements(reader);
  const rows = rememberRows(reader);
  const turns = sqliteTurns();
  const takeTurn = (): Promise<void> => measureWait(() => turns.take());
  const commits = createSharedCommits(writer);
  return {
    createDriver: () =>
      new ApartDriver(
        () => new ApartConnection({ statements, commits, turns, takeTurn }),
        async () => {
          statements.close();
          await writer.close();
        },
      ),
    createAdapter: () => {
      const adapter = new TurnTakingAdapter();
      offerDirectRead(adapter, ({ sql, parameters, isRemembered }) => {
        const readNow = (): readonly unknown[] => statements.prepare(sql).all(parameters);
        return isRemembered ? rows.read(sql, parameters[0], readNow) : readNow();
      });
      return adapter;
    },
    createQueryCompiler: () => new SqliteQueryCompiler(),
    createIntrospector: (db) => new SqliteIntrospector(db),
  };
}

class ApartDriver implements Driver {
  readonly #connect: () => ApartConnection;
  readonly #close: () => Promise<void>;

  constructor(connect: () => ApartConnection, close: () => Promise<void>) {
    this.#connect = connect;
    this.#close = close;
  }

  async init(): Promise<void> {}

  async acquireConnection(): Promise<DatabaseConnection> {
    return this.#connect();
  }

  async beginTransaction(connection: ApartConnection): Promise<void> {
    await connection.begin();
  }

  async commitTransaction(connection: ApartConnection): Promise<void> {
    await connection.commit();
  }

  async rollbackTransaction(connection: ApartConnection): Promise<void> {
    connection.rollback();
  }

  async releaseConnection(connection: ApartConnection): Promise<void> {
    connection.rollback();
  }

  async destroy(): Promise<void> {
    await this.#close();
  }
}

type Parts = {
  readonly statements: SqliteDatabase;
  readonly commits: SharedCommits;
  readonly turns: Turns;
  readonly takeTurn: () => Promise<void>;
};

class ApartConnection implements DatabaseConnection {
  readonly #parts: Parts;
  #hasTurn = false;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  async begin(): Promise<void> {
    const { takeTurn, commits } = this.#parts;
    await takeTurn();
    try {
      await commits.begin();
      this.#hasTurn = true;
    } catch (error) {
      this.#parts.turns.give();
      throw error;
    }
  }

  async commit(): Promise<void> {
    const { commits } = this.#parts;
    await this.#end((isAwaited) => commits.commit(isAwaited));
  }

  /** Undoes what is not ended yet, if anything is. */
  rollback(): void {
    if (this.#hasTurn) this.#end(this.#parts.commits.rollback);
  }

  #end<T>(how: (isAwaited: boolean) => T): T {
    const { turns } = this.#parts;
    this.#hasTurn = false;
    try {
      return how(turns.areAwaited());
    } finally {
      turns.give();
    }
  }

  async executeQuery<R>({ sql, parameters }: CompiledQuery): Promise<QueryResult<R>> {
    if (this.#hasTurn) return this.#write<R>(sql, parameters);
    if (isPlainRead(sql)) return { rows: this.#parts.statements.prepare(sql).all(parameters) as R[] };
    await this.begin();
    let result: QueryResult<R>;
    try {
      result = this.#write<R>(sql, parameters);
    } catch (error) {
      this.rollback();
      throw error;
    }
    await this.commit();
    return result;
  }

  #write<R>(sql: string, parameters: readonly unknown[]): QueryResult<R> {
    const { rows, changes, lastInsertRowid } = this.#parts.commits.run({ sql, parameters });
    return {
      rows: rows as R[],
      ...(changes === undefined ? {} : { numAffectedRows: BigInt(changes) }),
      ...(lastInsertRowid === undefined ? {} : { insertId: BigInt(lastInsertRowid) }),
    };
  }

  streamQuery<R>(): AsyncIterableIterator<QueryResult<R>> {
    throw new Error("Rows are not streamed: read them in pages.");
  }
}
