import type { Command } from "commander";
import { readConfig } from "../config.ts";
import { StartError } from "../platform/start-error.ts";
import { shownText } from "../platform/http/shown-text.ts";
import { type ExitCode, type Run, type Terminal, columns } from "./terminal.ts";

export function addConfigCommand(program: Command, terminal: Terminal, run: Run): void {
  program
    .command("config")
    .description("Show every setting with its value and where it comes from; secrets are masked.")
    .option("--json", "answer in JSON")
    .action(run(async (options: { json?: true }) => showConfig(options, terminal)));
}

function showConfig(options: { json?: true }, terminal: Terminal): ExitCode {
  const reading = readConfig(terminal.env);
  if (!reading.ok) throw new StartError(reading.faults.join("\n"));
  if (options.json) {
    terminal.out(JSON.stringify({ settings: reading.config.settings }));
    return 0;
  }
  const rows = reading.config.settings.map(({ name, value, origin }) => [name, origin, shownText(value)]);
  for (const line of columns([["SETTING", "FROM", "VALUE"], ...rows])) terminal.out(line);
  return 0;
}
