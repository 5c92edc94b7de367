import { join, resolve } from "node:path";
import type { Command } from "commander";
import type { Config } from "../config.ts";
import { settings } from "../settings.ts";
import { parseDatabaseUrl, type PostgresTarget } from "../database-url.ts";
import { systemClock } from "../platform/clock.ts";
import { isDatabaseMade } from "../platform/database/inspect-database.ts";
import {
  abandonMove,
  commitMove,
  moveBack,
  type Moved,
  type MoveProgress,
  moveToPostgres,
} from "../platform/move/move.ts";
import { secretKeyPath } from "../platform/secrets.ts";
import { StartError } from "../platform/start-error.ts";
import { createProgress } from "./progress.ts";
import { probeCopy } from "./promotion-probe.ts";
import { type ExitCode, type Run, type Terminal, configOf } from "./terminal.ts";

type Options = { to?: string; back?: true; commit?: true; abandon?: true; json?: true };

export function addPromoteCommand(program: Command, terminal: Terminal, run: Run): void {
  program
    .command("promote")
    .description(
      "Move all accounts, sessions and keys from the SQLite file to PostgreSQL beside a running server; nobody is signed out. Killed, it goes on where it was when run again.",
    )
    .option("--to <url>", "the empty PostgreSQL database to move to; DATABASE_URL is the file")
    .option("--back", "move back to the file, with what was written since; DATABASE_URL is the PostgreSQL database")
    .option("--commit", "give the way back up; DATABASE_URL is the PostgreSQL database")
    .option("--abandon", "let the file take writes again, without what PostgreSQL holds; DATABASE_URL is the file")
    .option("--json", "answer in JSON")
    .action(run((options: Options, command: Command) => promote(options, command, terminal)));
}

async function promote(options: Options, command: Command, terminal: Terminal): Promise<ExitCode> {
  const given = [options.to, options.back, options.commit, options.abandon].filter((option) => option !== undefined);
  if (given.length !== 1) command.error("error: say one of --to <url>, --back, --commit and --abandon");
  const config = configOf(terminal);
  const answer = await act(options, config, terminal);
  if (options.json) terminal.out(JSON.stringify(answer.told));
  else for (const line of answer.lines) terminal.out(line);
  return 0;
}

type Answer = { readonly told: object; readonly lines: readonly string[] };

async function act({ to, back, commit }: Options, config: Config, terminal: Terminal): Promise<Answer> {
  if (to !== undefined) return await promoteTo(to, config, terminal);
  if (back) return await goBack(postgresOf(config), config, terminal);
  if (commit) {
    const { file } = await commitMove({ target: postgresOf(config) });
    return {
      told: { committed: true, file },
      lines: [
        `There is no way back any more. Delete ${file} when you have a backup of PostgreSQL: it holds the accounts as they were.`,
      ],
    };
  }
  const path = fileOf(config);
  const { other } = await abandonMove(path);
  return {
    told: { abandoned: true, file: path, other },
    lines: [
      `${path} takes writes again, as it was left. Let no server run on ${other}: what is written there is lost.`,
    ],
  };
}

async function promoteTo(to: string, config: Config, terminal: Terminal): Promise<Answer> {
  const target = targetOf(to, config);
  const path = fileOf(config);
  if (!(await isDatabaseMade(config.database))) {
    throw new StartError(`There is no database ${path}: start the server once, or set DATABASE_URL.`);
  }
  const moved = await withProgress(terminal, (report) =>
    moveToPostgres({ path, target, clock: systemClock, report, probe: (db) => probeCopy(config, db) }),
  );
  return {
    told: { ...moved, setting: settings.database.name },
    lines: [
      ...summary(moved, "A sign-in and a refresh were tried there. "),
      "Now change one setting and start the servers anew; until then they read, and refuse to write:",
      `  DATABASE_URL=${settings.database.shown?.(to) ?? ""}`,
      ...secretLines(config),
      `${path} stays as the way back: "tollgate promote --back" brings along what is written until then, "tollgate promote --commit" gives it up.`,
    ],
  };
}

/** A development server keeps its secret beside the file; with PostgreSQL it looks for it in ./data. */
function secretLines({ secretKey, dataDirectory }: Config): string[] {
  if (secretKey !== undefined || dataDirectory === undefined || dataDirectory === resolve("data")) return [];
  const path = secretKeyPath(dataDirectory);
  return [`  SECRET_KEY=…  (the content of ${path}; or copy that file to ${join("data", "secret.key")})`];
}

async function goBack(target: PostgresTarget, _config: Config, terminal: Terminal): Promise<Answer> {
  const moved = await withProgress(terminal, (report) => moveBack({ target, clock: systemClock, report }));
  return {
    told: { ...moved, setting: settings.database.name },
    lines: [
      ...summary(moved, ""),
      "Now change one setting and start the servers anew; until then they read, and refuse to write:",
      `  DATABASE_URL=sqlite:${moved.to}`,
    ],
  };
}

function summary({ tables, rows, from, to }: Moved, more: string): string[] {
  return [
    `Moved ${tables} tables with ${rows.toLocaleString("en")} rows from ${from} to ${to}.`,
    `Row counts and a SHA-256 of each table are the same on both sides. ${more}`.trimEnd(),
  ];
}

/** Ctrl+C stops between two steps: the source takes writes again at once, not after half a minute. */
async function withProgress<R>(
  terminal: Terminal,
  move: (report: (at: MoveProgress) => void) => Promise<R>,
): Promise<R> {
  const progress = createProgress(terminal);
  let isStopping = false;
  const stop = (): void => void (isStopping = true);
  process.once("SIGINT", stop);
  try {
    return await move(({ doing, table, done, total }) => {
      if (isStopping) throw new StartError("Stopped: writes go on as before. Run it again, it goes on where it was.");
      progress.show(`${doing} ${table}`, done, total);
    });
  } finally {
    process.off("SIGINT", stop);
    progress.end();
  }
}

function targetOf(to: string, { mode }: Config): PostgresTarget {
  const parsed = parseDatabaseUrl(to, mode);
  if ("fault" in parsed)
    throw new StartError(`The URL after --to ${parsed.fault}${parsed.cure ? `: ${parsed.cure}` : ""}.`);
  if (parsed.value.kind === "postgres") return parsed.value.target;
  throw new StartError("--to must be a postgres:// URL: from PostgreSQL to the file leads promote --back.");
}

function fileOf({ database }: Config): string {
  if (database.kind === "sqlite") return database.path;
  throw new StartError(
    database.kind === "postgres"
      ? "DATABASE_URL is a PostgreSQL database already: this works on the SQLite file, so set DATABASE_URL to it."
      : "DATABASE_URL is sqlite::memory:, which only the server itself can reach: use a file.",
  );
}

function postgresOf({ database }: Config): PostgresTarget {
  if (database.kind === "postgres") return database.target;
  throw new StartError("DATABASE_URL is not the PostgreSQL database that was promoted to: set it to that.");
}
