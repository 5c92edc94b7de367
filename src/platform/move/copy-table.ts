import { createHash } from "node:crypto";
import { hexOf, rowsPerStep, type MoveSide, type Row } from "./move-side.ts";
import type { MovedTable } from "./moved-tables.ts";

/** What a table holds: two that are alike to the last byte have the same. */
export type TableDigest = { readonly rows: number; readonly sha256: string };

/** So many missing rows are remembered while the others are walked through; for more it is walked once again. */
const missingMax = 20_000;

/** So many rows more were looked at. Throws to stop the move: between two steps, never in one. */
export type Passed = (rows: number) => void;

/**
 * Makes a table of the target like that of the source, whatever is in it, by walking through both in the order of their
 * keys. So a move that was killed is taken up by doing it again, and the way back brings what was written since.
 *
 * What is too much or different goes first, all of it, and what is missing comes then: two rows may have exchanged a
 * value that only one can have. What goes takes along what hangs on it; those tables come later.
 *
 * Returns what the source holds.
 */
export async function copyTable(
  source: MoveSide,
  target: MoveSide,
  table: MovedTable,
  passed: Passed,
): Promise<TableDigest> {
  if ((await target.count(table)) > 0) {
    const digest = createTableDigest(table);
    const missing: Row[] = [];
    await walk(source, target, table, {
      take: (wanted, present) => {
        if (wanted !== undefined) digest.add(wanted);
        if (wanted !== undefined && present !== undefined && isSame(table, wanted, present)) return undefined;
        if (wanted !== undefined && missing.length <= missingMax) missing.push(wanted);
        return present;
      },
      apply: (rows) => target.remove(table, rows),
      passed,
    });
    if (missing.length <= missingMax) {
      for (let from = 0; from < missing.length; from += rowsPerStep) {
        await target.insert(table, missing.slice(from, from + rowsPerStep));
        passed(0);
      }
      return digest.end();
    }
  }
  const digest = createTableDigest(table);
  await walk(source, target, table, {
    take: (wanted, present) => {
      if (wanted !== undefined) digest.add(wanted);
      return present === undefined ? wanted : undefined;
    },
    apply: (rows) => target.insert(table, rows),
    passed,
  });
  return digest.end();
}

/** What a table holds, read from its beginning to its end. */
export async function digestTable(side: MoveSide, table: MovedTable, passed: Passed): Promise<TableDigest> {
  const digest = createTableDigest(table);
  for await (const rows of side.read(table)) {
    for (const row of rows) digest.add(row);
    passed(rows.length);
  }
  return digest.end();
}

type Walk = {
  /** Sees each key once, with the rows that the source and the target have for it, and gives back what is to be done. */
  readonly take: (wanted: Row | undefined, present: Row | undefined) => Row | undefined;
  readonly apply: (rows: readonly Row[]) => Promise<void>;
  readonly passed: Passed;
};

async function walk(
  source: MoveSide,
  target: MoveSide,
  table: MovedTable,
  { take, apply, passed }: Walk,
): Promise<void> {
  await using left = new RowStream(source.read(table));
  await using right = new RowStream(target.read(table));
  await Promise.all([left.fill(), right.fill()]);
  let taken: Row[] = [];
  const flush = async (): Promise<void> => {
    if (taken.length > 0) await apply(taken);
    taken = [];
  };
  for (;;) {
    const [wanted, present] = [left.current, right.current];
    if (wanted === undefined && present === undefined) break;
    const order = compareKeys(table, wanted, present);
    const row = take(order <= 0 ? wanted : undefined, order >= 0 ? present : undefined);
    if (row !== undefined) taken.push(row);
    if (order <= 0 && left.advance()) {
      passed(left.length);
      await left.fill();
    }
    if (order >= 0 && right.advance()) await right.fill();
    if (taken.length >= rowsPerStep) await flush();
  }
  await flush();
}

/** Rows one by one out of steps of many, without a promise for each. */
class RowStream {
  readonly #steps: AsyncIterator<readonly Row[], undefined>;
  #rows: readonly Row[] = [];
  #index = 0;

  constructor(steps: AsyncIterable<readonly Row[], undefined>) {
    this.#steps = steps[Symbol.asyncIterator]();
  }

  /** `undefined` at the end. */
  get current(): Row | undefined {
    return this.#rows[this.#index];
  }

  /** Of the present step. */
  get length(): number {
    return this.#rows.length;
  }

  /** To the next row. `true` when it is in the next step: call `fill`. */
  advance(): boolean {
    this.#index += 1;
    return this.#index >= this.#rows.length;
  }

  async fill(): Promise<void> {
    const step = await this.#steps.next();
    this.#rows = step.done === true ? [] : step.value;
    this.#index = 0;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#steps.return?.();
  }
}

/** Below 0 when only the source has this key, above when only the target has it. */
function compareKeys({ key }: MovedTable, one: Row | undefined, other: Row | undefined): number {
  if (one === undefined || other === undefined) return one === undefined ? 1 : -1;
  for (const { name } of key) {
    const order = compareValues(one[name], other[name]);
    if (order !== 0) return order;
  }
  return 0;
}

const afterSurrogates = /[\uD800-\uFFFF]/;

/** By code points, as both databases sort: JavaScript puts what is beyond U+FFFF before what ends the first plane. */
function compareValues(one: Row[string] | undefined, other: Row[string] | undefined): number {
  if (typeof one === "number" && typeof other === "number") return one - other;
  const [first, second] = [String(one), String(other)];
  if (first === second) return 0;
  if (!afterSurrogates.test(first) && !afterSurrogates.test(second)) return first < second ? -1 : 1;
  return Buffer.compare(Buffer.from(first), Buffer.from(second));
}

function isSame(table: MovedTable, one: Row, other: Row): boolean {
  return textOf(table, one) === textOf(table, other);
}

/** A row as one text, the same from either side. */
function textOf({ columns }: MovedTable, row: Row): string {
  return JSON.stringify(
    columns.map(({ name }) => {
      const value = row[name] ?? null;
      return value instanceof Uint8Array ? hexOf(value) : value;
    }),
  );
}

function createTableDigest(table: MovedTable): { add: (row: Row) => void; end: () => TableDigest } {
  const hash = createHash("sha256");
  let rows = 0;
  let texts: string[] = [];
  const flush = (): void => {
    hash.update(texts.join(""));
    texts = [];
  };
  return {
    add: (row) => {
      rows += 1;
      texts.push(textOf(table, row), "\n");
      if (texts.length >= rowsPerStep) flush();
    },
    end: () => {
      flush();
      return { rows, sha256: hash.digest("hex") };
    },
  };
}
