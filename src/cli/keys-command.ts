import type { Command } from "commander";
import { listSigningKeys } from "../features/sessions/signing-keys.ts";
import { timestamp } from "../platform/clock.ts";
import { withPlatform } from "./platform-for-command.ts";
import { type ExitCode, type Run, type Terminal, columns } from "./terminal.ts";

export function addKeysCommand(program: Command, terminal: Terminal, run: Run): void {
  const keys = program.command("keys").description("The keys that sign access tokens.");
  keys
    .command("list")
    .description("List the signing keys; their private halves stay where they are.")
    .option("--json", "answer in JSON")
    .action(run((options: { json?: true }) => listKeys(options, terminal)));
}

async function listKeys(options: { json?: true }, terminal: Terminal): Promise<ExitCode> {
  const found = await withPlatform(terminal, "a database that is there", listSigningKeys);
  const keys = found.map(({ id, algorithm, createdAt }) => ({ id, algorithm, created_at: timestamp(createdAt) }));
  if (options.json) {
    terminal.out(JSON.stringify({ keys }));
    return 0;
  }
  if (keys.length === 0) terminal.out("There is no signing key yet: the server makes one at its first start.");
  const rows = keys.map((key) => [key.id, key.algorithm, key.created_at]);
  if (rows.length > 0) for (const line of columns([["KEY", "ALGORITHM", "MADE"], ...rows])) terminal.out(line);
  return 0;
}
