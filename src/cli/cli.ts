import { Command, CommanderError } from "commander";
import { Problem, problems } from "../contract/problems.ts";
import { isReadOnlyWindow } from "../platform/database/read-only-window.ts";
import { StartError } from "../platform/start-error.ts";
import { addAdminCommand } from "./admin-command.ts";
import { addBackupCommand } from "./backup-command.ts";
import { addConfigCommand } from "./config-command.ts";
import { addDoctorCommand } from "./doctor-command.ts";
import { addKeysCommand } from "./keys-command.ts";
import { addPromoteCommand } from "./promote-command.ts";
import { addRestoreCommand } from "./restore-command.ts";
import { addServeCommand } from "./serve-command.ts";
import type { ExitCode, Run, Terminal } from "./terminal.ts";
import { addWhyCommand } from "./why-command.ts";

/** Runs one command; `args` come after the name of the program. Never throws. */
export async function runCli(args: readonly string[], terminal: Terminal): Promise<ExitCode> {
  let exitCode: ExitCode = 0;
  const run: Run =
    (action) =>
    async (...given) => {
      exitCode = await action(...given);
    };
  try {
    await createProgram(terminal, run).parseAsync([...args], { from: "user" });
    return exitCode;
  } catch (error) {
    return exitCodeOf(error, terminal);
  }
}

function createProgram(terminal: Terminal, run: Run): Command {
  const program = new Command("tollgate")
    .description("Accounts, authentication and rate limits that explain themselves.")
    .exitOverride()
    .showHelpAfterError('Run the command with "--help" to see how it is used.')
    .configureOutput({
      writeOut: (text) => terminal.out(text.trimEnd()),
      writeErr: (text) => terminal.err(text.trimEnd()),
    });
  const add = [
    addServeCommand,
    addAdminCommand,
    addBackupCommand,
    addConfigCommand,
    addDoctorCommand,
    addKeysCommand,
    addPromoteCommand,
    addRestoreCommand,
    addWhyCommand,
  ];
  for (const addCommand of add) addCommand(program, terminal, run);
  return program;
}

function exitCodeOf(error: unknown, terminal: Terminal): ExitCode {
  // Commander has written its own sentence. It ends with 0 for help that was asked for, else the command was misused.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  terminal.err(sentenceOf(error));
  return 1;
}

function sentenceOf(error: unknown): string {
  if (error instanceof StartError) return error.message;
  if (error instanceof Problem) return error.detail;
  if (isReadOnlyWindow(error)) return problems["read-only"].detail;
  return `This is a bug of Tollgate; please report it with these lines.\n${error instanceof Error ? error.stack : String(error)}`;
}
