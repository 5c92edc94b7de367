import {
  CompiledQuery,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  SelectQueryNode,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  type QueryResult,
  type TransactionSettings,
} from "kysely";
import type { PoolClient, QueryResult as ServerResult } from "pg";
import { withPatience } from "../patience.ts";
import { breaksConnection, isTimeout, silent, statementFault } from "./postgres-faults.ts";
import type { PostgresPool } from "./postgres-pool.ts";
import { askReadOn, createReads, forgetStalePlans, nameOn, type AskRead, type Question } from "./postgres-reads.ts";
import { parameterText, sendable } from "./postgres-types.ts";
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
  readonly #askRead: AskRead;

  constructor(pool: PostgresPool) {
    this.#pool = pool;
    this.#askRead = createReads(pool);
  }

  async init(): Promise<void> {}

  async acquireConnection(): Promise<PgConnection> {
    return new PgConnection(this.#pool, this.#askRead);
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

/**
 * A connection while somebody has it. It is taken from the pool by the first statement that needs one of its own:
 * prepared reads outside of transactions share theirs with others, see postgres-reads.ts.
 */
class PgConnection implements DatabaseConnection {
  readonly #pool: PostgresPool;
  readonly #askRead: AskRead;
  #client: PoolClient | undefined;
  #isBroken = false;
  #isSilent = false;
  #isInTransaction = false;
  /** What undid the transaction: every later statement of it fails by the same, also when the work caught it. */
  #failure: { readonly error: unknown } | undefined;

  constructor(pool: PostgresPool, askRead: AskRead) {
    this.#pool = pool;
    this.#askRead = askRead;
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
    if (this.#client === undefined) return;
    this.#pool.give(this.#client, this.#isBroken ? "broken" : this.#isSilent ? "silent" : "well");
  }

  async executeQuery<R>(compiled: CompiledQuery): Promise<QueryResult<R>> {
    if (this.#failure !== undefined) throw this.#failure.error;
    const read = preparedRead(compiled);
    if (read !== undefined && this.#client === undefined) return { rows: (await this.#askRead(read)) as R[] };
    const client = (this.#client ??= await this.#pool.take());
    const ask = () => this.#inTime(askOn<R>(client, compiled, read));
    try {
      return await ask().catch((error: unknown) => {
        // In a transaction it is undone already, and will be tried again.
        if (!forgetStalePlans(client, error) || this.#isInTransaction) throw error;
        return ask();
      });
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

  async #inTime<T>(answer: Promise<T>): Promise<T> {
    const { statementMilliseconds } = this.#pool;
    if (statementMilliseconds === undefined) return await answer;
    return await withPatience(statementMilliseconds, answer, () => silent(statementMilliseconds));
  }
}

/** A prepared query that can change nothing, nor lock a row; undefined for any other. */
function preparedRead({ sql, parameters, query }: CompiledQuery): Question | undefined {
  const name = statementName(sql);
  const isRead = SelectQueryNode.is(query) && query.with === undefined && query.endModifiers === undefined;
  return name === undefined || !isRead ? undefined : { name, text: sql, values: parameters.map(parameterText) };
}

async function askOn<R>(
  client: PoolClient,
  { sql: text, parameters }: CompiledQuery,
  read: Question | undefined,
): Promise<QueryResult<R>> {
  if (read !== undefined) return { rows: (await askReadOn(client, read)) as R[] };
  const name = statementName(text);
  const values = parameters.map(sendable);
  return resultOf(
    await client.query(name === undefined ? { text, values } : { name: nameOn(client, name), text, values }),
  );
}

const writes: ReadonlySet<string> = new Set(["INSERT", "UPDATE", "DELETE"]);

function resultOf<R>({ command, rowCount, rows }: ServerResult): QueryResult<R> {
  const result = { rows: rows as R[] };
  return writes.has(command) ? { ...result, numAffectedRows: BigInt(rowCount ?? 0) } : result;
}
