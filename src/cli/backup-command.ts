import { resolve } from "node:path";
import type { Command } from "commander";
import { backupSqlite } from "../platform/database/backup.ts";
import { isDatabaseMade } from "../platform/database/inspect-database.ts";
import { secretKeyPath } from "../platform/secrets.ts";
import { StartError } from "../platform/start-error.ts";
import { createProgress } from "./progress.ts";
import { type ExitCode, type Run, type Terminal, configOf } from "./terminal.ts";

export function addBackupCommand(program: Command, terminal: Terminal, run: Run): void {
  program
    .command("backup")
    .description("Copy the SQLite database as it is at this moment, beside a running server. Overwrites nothing.")
    .argument("<file>", "where to write it")
    .option("--json", "answer in JSON")
    .action(run((file: string, options: { json?: true }) => backUp(file, options, terminal)));
}

async function backUp(file: string, options: { json?: true }, terminal: Terminal): Promise<ExitCode> {
  const { database, secretKey, dataDirectory } = configOf(terminal);
  if (database.kind === "postgres") {
    throw new StartError("PostgreSQL has tools of its own for this: use pg_dump, or its continuous archiving.");
  }
  if (database.kind === "sqlite-memory") {
    throw new StartError("DATABASE_URL is sqlite::memory:, which ends with its server: there is nothing to back up.");
  }
  if (!(await isDatabaseMade(database))) {
    throw new StartError(`There is no database ${database.path}: start the server once, or set DATABASE_URL.`);
  }
  const copy = resolve(file);
  const progress = createProgress(terminal);
  try {
    await backupSqlite(database.path, copy, (done, total) => progress.show("copying", done, total));
  } finally {
    progress.end();
  }
  if (options.json) {
    terminal.out(JSON.stringify({ file: copy }));
    return 0;
  }
  const secret = secretKey === undefined && dataDirectory !== undefined ? secretKeyPath(dataDirectory) : "SECRET_KEY";
  terminal.out(`Backed ${database.path} up to ${copy}.`);
  terminal.out(`It is of no use without ${secret}: keep that as well, in another place.`);
  return 0;
}
