import type { Connection, FieldDef, PoolClient, Submittable } from "pg";
import { postgresTypes } from "./postgres-types.ts";

/** A prepared query that reads, asked once. Whoever asks hears of it by one of two calls. */
export type Read = {
  /** Of the prepared statement. */
  readonly name: string;
  readonly text: string;
  readonly values: readonly (string | Buffer | null)[];
  readonly resolve: (rows: readonly object[]) => void;
  readonly reject: (error: unknown) => void;
};

/** What came of a batch: the one that failed and why, and those that the server then skipped. */
export type BatchEnd = { readonly error: unknown; readonly unanswered: readonly Read[] } | "all answered";

type Column = { readonly name: string; readonly parse: (text: string) => unknown };

/** What a connection has prepared: by the name of the statement, how its rows are read. */
const prepared = new WeakMap<PoolClient, Map<string, readonly Column[]>>();

/**
 * Asks all of them at once, in one message to the server and with one Sync: pg's own queries wait for each other's
 * answers, and have the columns described each time. They are one transaction to the server, so none may write; each
 * sees what is committed when its turn comes (READ COMMITTED). What fails fails alone: the server skips those after it,
 * which are to be asked again.
 */
export function askBatch(client: PoolClient, reads: readonly Read[]): Promise<BatchEnd> {
  const known = prepared.get(client) ?? new Map<string, readonly Column[]>();
  prepared.set(client, known);
  const { promise, resolve } = Promise.withResolvers<BatchEnd>();
  client.query(new ReadBatch(reads, known, resolve));
  return promise;
}

/** Its types take the parser for one of numbers. */
function parserOf(type: number): Column["parse"] {
  return postgresTypes.getTypeParser(type, "text") as unknown as Column["parse"];
}

/** What pg calls while the batch is the query under way: what `Submittable` leaves out. */
class ReadBatch implements Submittable {
  readonly #reads: readonly Read[];
  readonly #known: Map<string, readonly Column[]>;
  readonly #end: (end: BatchEnd) => void;
  /** The first that is not answered yet, and its rows so far. */
  #next = 0;
  #rows: object[] = [];
  #fault: { readonly error: unknown } | undefined;

  constructor(reads: readonly Read[], known: Map<string, readonly Column[]>, end: (end: BatchEnd) => void) {
    this.#reads = reads;
    this.#known = known;
    this.#end = end;
  }

  submit(connection: Connection): null {
    const announced = new Set<string>();
    connection.stream.cork();
    try {
      for (const { name, text, values } of this.#reads) {
        const isNew = !this.#known.has(name) && !announced.has(name);
        if (isNew) connection.parse({ name, text, types: [] }, true);
        connection.bind({ statement: name, values: [...values] }, true);
        // Once, with the first execution: what a prepared statement returns never changes (or it fails: `isStalePlan`).
        if (isNew) connection.describe({ type: "P" }, true);
        connection.execute(null, true);
        announced.add(name);
      }
      connection.sync();
    } finally {
      connection.stream.uncork();
    }
    return null;
  }

  handleRowDescription({ fields }: { readonly fields: readonly FieldDef[] }): void {
    const name = this.#reads[this.#next]?.name ?? "";
    this.#known.set(
      name,
      fields.map((field) => ({ name: field.name, parse: parserOf(field.dataTypeID) })),
    );
  }

  handleDataRow({ fields }: { readonly fields: readonly (string | null)[] }): void {
    const columns = this.#known.get(this.#reads[this.#next]?.name ?? "") ?? [];
    const row: Record<string, unknown> = {};
    try {
      let index = 0;
      for (const { name, parse } of columns) {
        const text = fields[index] ?? null;
        row[name] = text === null ? null : parse(text);
        index += 1;
      }
      this.#rows.push(row);
    } catch (error) {
      this.#fault ??= { error }; // As a number that is too large: the others of the batch are not to suffer.
    }
  }

  handleCommandComplete(): void {
    const [read, rows, fault] = [this.#reads[this.#next], this.#rows, this.#fault];
    this.#next += 1;
    this.#rows = [];
    this.#fault = undefined;
    if (fault === undefined) read?.resolve(rows);
    else read?.reject(fault.error);
  }

  handleError(error: unknown): void {
    this.#end({ error, unanswered: this.#reads.slice(this.#next) });
  }

  handleReadyForQuery(): void {
    this.#end("all answered");
  }
}
