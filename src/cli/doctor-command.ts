import type { Command } from "commander";
import { type Config, readConfig } from "../config.ts";
import { type Check, failed } from "./check.ts";
import { checksOf } from "./doctor-checks.ts";
import { checksOfMail } from "./doctor-mail.ts";
import { type ExitCode, type Run, type Terminal, columns } from "./terminal.ts";
import { shownText } from "../platform/http/shown-text.ts";

export function addDoctorCommand(program: Command, terminal: Terminal, run: Run): void {
  program
    .command("doctor")
    .description(
      "Check settings, data, Redis, keys, clock, proxy and hash speed; one line each with the cure. Changes nothing.",
    )
    .option("--mail <address>", "also send a mail there, and look up how mail from MAIL_FROM's domain is believed")
    .option("--dkim-selector <name>", "the name of the key that the relay signs with; with --mail")
    .option("--json", "answer in JSON")
    .action(run((options: Options) => examine(options, terminal)));
}

type Options = { readonly mail?: string; readonly dkimSelector?: string; readonly json?: true };

async function examine(options: Options, terminal: Terminal): Promise<ExitCode> {
  const reading = readConfig(terminal.env);
  const checks = reading.ok
    ? [
        settingsAreGood(reading.config),
        ...(await checksOf(reading.config)),
        ...(await mailChecks(reading.config, options, terminal)),
      ]
    : reading.faults.map((fault) => failed("settings", fault));
  if (options.json) terminal.out(JSON.stringify({ checks }));
  else {
    const rows = checks.map(({ state, name, found, cure }) => [
      state,
      name,
      shownText(cure ? `${found} ${cure}` : found),
    ]);
    for (const line of columns(rows)) terminal.out(line);
  }
  const failures = checks.filter(({ state }) => state === "failed");
  if (failures.length === 0) return 0;
  const names = [...new Set(failures.map(({ name }) => name))].join(", ");
  terminal.err(`Not everything is well: ${names}. The lines above say what to do.`);
  return 1;
}

function settingsAreGood({ mode }: Config): Check {
  return { name: "settings", state: "ok", found: `All are within their bounds; the mode is ${mode}.` };
}

async function mailChecks(config: Config, { mail: to, dkimSelector }: Options, terminal: Terminal): Promise<Check[]> {
  if (to === undefined) return [];
  return checksOfMail(config, { to, dkimSelector, dnsServers: terminal.dnsServers });
}
