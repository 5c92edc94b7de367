import { mkdirSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { loadProgram } from "./load.ts";
import { thisMachine } from "./machine.ts";

const directory = resolve(import.meta.dirname, "../results");

export type Row = {
  /** What was measured, and in what. */
  readonly what: string;
  readonly unit: string;
  readonly tollgate: number;
  readonly against: number;
  readonly againstWhat: string;
  /** Tollgate's figure as a multiple of the other's. */
  readonly ratio: number;
  /** What the ratio must be; undefined when the row is for information. */
  readonly atLeast?: number;
  readonly atMost?: number;
};

export type Result = {
  readonly rows: readonly Row[];
  readonly notes?: readonly string[];
  /** What was seen over time, and a chart of it (SVG) instead of bars. */
  readonly samples?: readonly Readonly<Record<string, number>>[];
  readonly chart?: string;
};

export function isReached({ ratio, atLeast = 0, atMost = Number.POSITIVE_INFINITY }: Row): boolean {
  return ratio >= atLeast && ratio <= atMost;
}

/** Writes `results/NAME.json` and a chart beside it, and gives the table for a terminal. */
export function report(name: string, { rows, notes = [], samples, chart = barChart(name, rows) }: Result): string {
  mkdirSync(directory, { recursive: true });
  const facts = {
    name,
    at: new Date().toISOString(),
    command: ["npm run bench --", ...process.argv.slice(2)].join(" "),
    loadProgram,
    ...thisMachine(),
  };
  writeFileSync(`${directory}/${name}.json`, `${JSON.stringify({ ...facts, rows, notes, samples }, null, 2)}\n`);
  writeFileSync(`${directory}/${name}.svg`, chart);
  const width = Math.max(...rows.map(({ what }) => what.length));
  const lines = rows.map((row) => {
    const figures = `${figure(row.tollgate)} ${row.unit} against ${figure(row.against)} (${row.againstWhat})`;
    return `  ${row.what.padEnd(width)}  ${figures}  ratio ${row.ratio.toFixed(2)}${goal(row)}`;
  });
  return [name, ...lines, ...notes.map((note) => `  ${note}`)].join("\n");
}

function goal(row: Row): string {
  if (row.atLeast === undefined && row.atMost === undefined) return "";
  const bound = row.atLeast === undefined ? `at most ${row.atMost}` : `at least ${row.atLeast}`;
  return `, must be ${bound}: ${isReached(row) ? "reached" : "MISSED"}`;
}

export function figure(value: number): string {
  return new Intl.NumberFormat("en", { maximumSignificantDigits: 3 }).format(value);
}

const rowHeight = 56;

/** A pair of bars for each row. Readable on light and on dark. */
function barChart(name: string, rows: readonly Row[]): string {
  const bars = rows.map((row, index) => {
    const longest = Math.max(row.tollgate, row.against);
    const bar = (value: number, y: number, colour: string, label: string): string =>
      `<rect x="0" y="${y}" width="${((400 * value) / longest).toFixed(1)}" height="14" fill="${colour}"/>` +
      `<text x="408" y="${y + 12}">${escapeXml(`${label}: ${figure(value)} ${row.unit}`)}</text>`;
    const top = 24 + index * rowHeight;
    return (
      `<text x="0" y="${top - 4}" font-weight="bold">${escapeXml(row.what)}</text>` +
      bar(row.tollgate, top + 2, "#1f8a70", "Tollgate") +
      bar(row.against, top + 18, "#8a8f98", row.againstWhat)
    );
  });
  const height = 16 + rows.length * rowHeight;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 760 ${height}" role="img" aria-label="${escapeXml(name)}" font-family="system-ui, sans-serif" font-size="12" fill="#777">${bars.join("")}</svg>\n`;
}

export function escapeXml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");
}
