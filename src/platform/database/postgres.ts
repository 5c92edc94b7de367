import {
  CompiledQuery,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  type QueryResult,
  type TransactionSettings,
} from "kysely";
import type { PoolClient, QueryConfig, QueryResult as ServerResult } from "pg";
import { withPatience } from "../patience.ts";
import { breaksConnection, isStalePlan, isTimeout, PostgresUnreachable, statementFault } from "./postgres-faults.ts";
import type { PostgresPool } from "./postgres-pool.ts";
import { statementName } from "./prepared-query.ts";

/**
 * Kysely over pg. Destroying the Kysely instance closes the pool.
 *
 * Transactions are SERIALIZABLE unless they say otherwise: one that is right when it runs alone is right beside
 * others, or fails as a conflict (`isTransactionConflict`) and is done again by `inTransaction`. Kysely's own driver
 * is not used: it cannot name a prepared statement, keeps a connection whose answer never came, and lets work that
 * swallowed an error believe that it was committed.
 */
export function postgresDialect(pool: PostgresPool): Dialect {
  return {
    createDriver: () => new PgDriver(pool),
    createAdapter: () => new PostgresAdapter(),
    createQueryCompiler: () => new PostgresQueryCompiler(),
    createIntrospector: (db) => new PostgresIntrospector(db),
  };
}

class PgDriver implements Driver {
  readonly #pool: PostgresPool;

  constructor(pool: PostgresPool) {
    this.#pool = pool;
  }

  async init(): Promise<void> {}

  async acquireConnection(): Promise<PgConnection> {
    return new PgConnection(this.#pool, await this.#pool.take());
  }

  async beginTransaction(
    connection: PgConnection,
    { isolationLevel = "serializable" }: TransactionSettings,
  ): Promise<void> {
    await connection.begin(isolationLevel);
  }

  async commitTransaction(connection: PgConnection): Promise<void> {
    await connection.commit();
  }

  async rollbackTransaction(connection: PgConnection): Promise<void> {
    await connection.rollback();
  }

  async releaseConnection(connection: PgConnection): Promise<void> {
    connection.release();
  }

  async destroy(): Promise<void> {
    await this.#pool.close();
  }
}

/** How often the plans of a connection became stale: a part of the names of its prepared statements. */
const planEpochs = new WeakMap<PoolClient, number>();

/** A connection while somebody has it. */
class PgConnection implements DatabaseConnection {
  readonly #pool: PostgresPool;
  readonly #client: PoolClient;
  #isBroken = false;
  #isSilent = false;
  #isInTransaction = false;
  /** What undid the transaction: every later statement of it fails by the same, also when the work caught it. */
  #failure: { readonly error: unknown } | undefined;

  constructor(pool: PostgresPool, client: PoolClient) {
    this.#pool = pool;
    this.#client = client;
  }

  async begin(isolationLevel: string): Promise<void> {
    await this.executeQuery(CompiledQuery.raw(`begin isolation level ${isolationLevel}`));
    this.#isInTransaction = true;
  }

  async commit(): Promise<void> {
    await this.executeQuery(CompiledQuery.raw("commit"));
    this.#isInTransaction = false;
  }

  async rollback(): Promise<void> {
    this.#failure = undefined;
    this.#isInTransaction = false;
    if (this.#isBroken) return; // The server undoes it by itself.
    // What made us roll back is what the caller must hear of: a second fault would hide it.
    await this.executeQuery(CompiledQuery.raw("rollback")).catch(() => undefined);
  }

  release(): void {
    this.#pool.give(this.#client, this.#isBroken ? "broken" : this.#isSilent ? "silent" : "well");
  }

  async executeQuery<R>({ sql, parameters }: CompiledQuery): Promise<QueryResult<R>> {
    if (this.#failure !== undefined) throw this.#failure.error;
    try {
      return resultOf<R>(await this.#send(sql, parameters));
    } catch (thrown) {
      if (breaksConnection(thrown)) this.#isBroken = true;
      const error = statementFault(thrown);
      if (isTimeout(error)) this.#isSilent = true;
      if (this.#isInTransaction || this.#isBroken) this.#failure = { error };
      throw error;
    }
  }

  // oxlint-disable-next-line require-yield -- There is nothing to give: Kysely's interface wants the method.
  async *streamQuery<R>(): AsyncIterableIterator<QueryResult<R>> {
    throw new Error("Rows are not streamed from PostgreSQL: read them in pages.");
  }

  async #send(text: string, parameters: readonly unknown[]): Promise<ServerResult> {
    const values = parameters.map(sendable);
    const name = statementName(text);
    if (name === undefined) return await this.#ask({ text, values });
    const epoch = planEpochs.get(this.#client) ?? 0;
    try {
      return await this.#ask({ name: `${name}_${epoch}`, text, values });
    } catch (error) {
      if (!isStalePlan(error)) throw error;
      planEpochs.set(this.#client, epoch + 1);
      if (this.#isInTransaction) throw error; // It is undone already, and will be tried again.
      return await this.#ask({ name: `${name}_${epoch + 1}`, text, values });
    }
  }

  async #ask(question: QueryConfig<unknown[]>): Promise<ServerResult> {
    const { statementMilliseconds } = this.#pool;
    if (statementMilliseconds === undefined) return await this.#client.query(question);
    const tooLate = () => new PostgresUnreachable(`PostgreSQL did not answer within ${statementMilliseconds} ms`);
    return await withPatience(statementMilliseconds, this.#client.query(question), tooLate);
  }
}

const int8Max = 2 ** 63;

/** Whole numbers that no column can hold are compared as its largest value, as SQLite does, instead of failing. */
function sendable(value: unknown): unknown {
  if (typeof value !== "number" || Math.abs(value) < int8Max || !Number.isInteger(value)) return value;
  return value > 0 ? "9223372036854775807" : "-9223372036854775808";
}

const writes: ReadonlySet<string> = new Set(["INSERT", "UPDATE", "DELETE"]);

function resultOf<R>({ command, rowCount, rows }: ServerResult): QueryResult<R> {
  const result = { rows: rows as R[] };
  return writes.has(command) ? { ...result, numAffectedRows: BigInt(rowCount ?? 0) } : result;
}
