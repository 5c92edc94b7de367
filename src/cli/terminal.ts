import type { Config, Environment } from "../config.ts";
import { readConfig } from "../config.ts";
import { StartError } from "../platform/start-error.ts";

/** Where a command reads its settings and writes its lines. */
export type Terminal = {
  readonly env: Environment;
  readonly out: (line: string) => void;
  readonly err: (line: string) => void;
  /** Asked for DNS in place of the servers that this machine asks. */
  readonly dnsServers?: readonly string[];
  /** Writes over the line that stands there; undefined where a line stays, as in a file. */
  readonly redraw?: ((line: string) => void) | undefined;
};

/** 0 done, 1 refused, 2 misused. */
export type ExitCode = 0 | 1 | 2;

/** Keeps what an action answers as the exit code. */
export type Run = <Given extends unknown[]>(
  action: (...given: Given) => Promise<ExitCode>,
) => (...given: Given) => Promise<void>;

/** The settings, or a StartError with a line per fault. */
export function configOf({ env }: Terminal): Config {
  const reading = readConfig(env);
  if (!reading.ok) throw new StartError(reading.faults.join("\n"));
  return reading.config;
}

/** Lines with their columns under each other; the last column is as long as it likes. */
export function columns(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? "").length)));
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd(),
  );
}
