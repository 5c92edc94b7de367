import { TypeOverrides, types } from "pg";

/** Whole numbers of 64 bits, sums and truth values come as SQLite gives them: one query, one kind of row. */
export const postgresTypes = new TypeOverrides(types);
postgresTypes.setTypeParser(types.builtins.INT8, safeNumber);
postgresTypes.setTypeParser(types.builtins.NUMERIC, safeNumber);
postgresTypes.setTypeParser(types.builtins.BOOL, (text) => (text === "t" ? 1 : 0));

function safeNumber(text: string): number {
  const number = Number(text);
  if (Number.isInteger(number) && !Number.isSafeInteger(number)) throw new RangeError(`${text} is too large`);
  return number;
}

const int8Max = 2 ** 63;

/** Whole numbers that no column can hold are compared as its largest value, as SQLite does, instead of failing. */
export function sendable(value: unknown): unknown {
  if (typeof value !== "number" || Math.abs(value) < int8Max || !Number.isInteger(value)) return value;
  return value > 0 ? "9223372036854775807" : "-9223372036854775808";
}

/** A value of a prepared query as it goes to the server. */
export function parameterText(value: unknown): string | Buffer | null {
  const sent = sendable(value);
  switch (typeof sent) {
    case "string":
      return sent;
    case "number":
    case "bigint":
      return String(sent);
    default:
      if (sent === null) return null;
      if (sent instanceof Uint8Array) return Buffer.from(sent.buffer, sent.byteOffset, sent.byteLength);
      throw new TypeError(`A prepared query cannot be asked with ${typeof sent}.`);
  }
}
