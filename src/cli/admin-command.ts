import type { Command } from "commander";
import { type MadeAdministrator, createAdministrator } from "../features/administration/administration.ts";
import { withPlatform } from "./platform-for-command.ts";
import type { ExitCode, Run, Terminal } from "./terminal.ts";

export function addAdminCommand(program: Command, terminal: Terminal, run: Run): void {
  const admin = program.command("admin").description("Administrators.");
  admin
    .command("create")
    .description("Make an account an administrator's; without such an account make one, and print its password once.")
    .argument("<email>", "the address of the account")
    .option("--json", "answer in JSON")
    .action(run((email: string, options: { json?: true }) => createAdmin(email, options, terminal)));
}

async function createAdmin(email: string, options: { json?: true }, terminal: Terminal): Promise<ExitCode> {
  const made = await withPlatform(terminal, "a database", (platform) => createAdministrator(platform, email));
  if (options.json) terminal.out(JSON.stringify({ email, ...made }));
  else for (const line of linesOf(email, made)) terminal.out(line);
  return 0;
}

function linesOf(email: string, made: MadeAdministrator): string[] {
  switch (made.outcome) {
    case "already":
      return [`${email} is an administrator already: nothing was changed.`];
    case "promoted":
      return [`${email} is an administrator now, with the password it had.`];
    case "created":
      return [`Made the administrator ${email}. The password is shown this once:`, made.password];
  }
}
