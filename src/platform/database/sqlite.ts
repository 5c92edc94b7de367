import type { DatabaseSync } from "node:sqlite";
import {
  CompiledQuery,
  SqliteAdapter,
  SqliteDriver,
  SqliteIntrospector,
  SqliteQueryCompiler,
  type DatabaseConnection,
  type Dialect,
  type SqliteDatabase,
} from "kysely";
import { offerDirectRead } from "./direct-reads.ts";
import { rememberRows } from "./remembered-rows.ts";
import { rememberStatements } from "./sqlite-statements.ts";
import { createTurns, type Turns } from "./turns.ts";

const waitingMax = 10_000;
const waitMillisecondsMax = 5_000;

/**
 * Kysely over Node's own SQLite: one connection, one turn at a time, transactions that take the write lock
 * when they begin.
 *
 * `database` is open; destroying the Kysely instance closes it. Queries run on this thread and block it, so
 * they are short. A query waits for an open transaction, up to 5 s, then fails with `TurnRefused`. While nobody has a
 * turn, direct reads are answered without one.
 * Rows are objects without a prototype, as node:sqlite makes them: copying each would cost a third of a query.
 */
export function sqliteDialect(database: DatabaseSync): Dialect {
  const turns = sqliteTurns();
  const rows = rememberRows(database);
  const remembered = rememberStatements(database, rows.forget);
  return {
    createDriver: () => new NodeSqliteDriver(database, remembered, turns),
    createAdapter: () => {
      const adapter = new TurnTakingAdapter();
      offerDirectRead(adapter, ({ sql, parameters, isRemembered }) => {
        if (!turns.areFree()) return undefined;
        const readNow = (): readonly unknown[] => remembered.prepare(sql).all(parameters);
        return isRemembered ? rows.read(sql, parameters[0], readNow) : readNow();
      });
      return adapter;
    },
    createQueryCompiler: () => new SqliteQueryCompiler(),
    createIntrospector: (db) => new SqliteIntrospector(db),
  };
}

/** For whoever writes, one at a time. */
export function sqliteTurns(): Turns {
  return createTurns({ atOnce: 1, waitingMax, waitMillisecondsMax });
}

/** Says "many connections" only to keep Kysely's own, unbounded queue out of the way of ours. */
export class TurnTakingAdapter extends SqliteAdapter {
  override get supportsMultipleConnections(): boolean {
    return true;
  }
}

class NodeSqliteDriver extends SqliteDriver {
  readonly #database: DatabaseSync;
  readonly #turns: Turns;

  constructor(database: DatabaseSync, remembered: SqliteDatabase, turns: Turns) {
    super({ database: remembered });
    this.#database = database;
    this.#turns = turns;
  }

  override async acquireConnection(): Promise<DatabaseConnection> {
    await this.#turns.take();
    return await super.acquireConnection();
  }

  override async releaseConnection(): Promise<void> {
    this.#turns.give();
  }

  // A transaction that begins as a reader and then writes can meet another writer and fail at once, without
  // waiting for busy_timeout. One that begins as a writer waits at its beginning, and only there.
  override async beginTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw("begin immediate"));
  }

  // A full disk or an I/O error rolls back by itself; a second rollback would hide the error that tells why.
  override async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    if (this.#database.isTransaction) await super.rollbackTransaction(connection);
  }
}
