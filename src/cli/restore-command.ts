import { resolve } from "node:path";
import type { Command } from "commander";
import type { Config } from "../config.ts";
import { recordEvent } from "../features/audit/audit.ts";
import { voidRestoredMail } from "../features/mail/restored-mail.ts";
import { endRestoredSessions, refuseOtherSecret } from "../features/sessions/restored-sessions.ts";
import { systemClock } from "../platform/clock.ts";
import { isServerRunning } from "../platform/control-socket.ts";
import { placeOfDatabase } from "../platform/database/database.ts";
import { skipNumbers } from "../platform/database/numbers.ts";
import { beginRestore } from "../platform/database/restore.ts";
import { inTransaction } from "../platform/database/transaction.ts";
import { type Platform, closePlatform, createPlatform } from "../platform/platform.ts";
import { StartError } from "../platform/start-error.ts";
import { withPlatform } from "./platform-for-command.ts";
import { createProgress } from "./progress.ts";
import { type ExitCode, type Run, type Terminal, configOf } from "./terminal.ts";

/** More than are given between two backups. */
const numbersSkipped = 1_000_000;

export function addRestoreCommand(program: Command, terminal: Terminal, run: Run): void {
  program
    .command("restore")
    .description(
      "Put a backup in the place of the SQLite database, which is kept aside. Everybody signs in again, and the links of mails that were sent are void.",
    )
    .argument("[file]", "the backup")
    .option("--in-place", "the database was restored by other tools, as pg_restore: do only what must follow")
    .option("--json", "answer in JSON")
    .action(
      run((file: string | undefined, options: Options, command: Command) => restore(file, options, command, terminal)),
    );
}

type Options = { inPlace?: true; json?: true };
type Followed = {
  readonly sessions_ended: number;
  readonly links_voided: number;
  readonly mails_withheld: number;
};

async function restore(
  file: string | undefined,
  options: Options,
  command: Command,
  terminal: Terminal,
): Promise<ExitCode> {
  if ((file === undefined) !== (options.inPlace === true)) command.error("error: say a file, or --in-place");
  const config = configOf(terminal);
  const { dataDirectory } = config;
  if (dataDirectory !== undefined && (await isServerRunning(dataDirectory))) {
    throw new StartError(`A server runs on ${dataDirectory}: stop it, then restore.`);
  }
  const former = file === undefined ? undefined : await restoreFile(resolve(file), config, terminal);
  const followed = former?.followed ?? (await withPlatform(terminal, "a database that is there", forgetTheUndone));
  if (options.json) {
    terminal.out(
      JSON.stringify({ database: placeOfDatabase(config.database), former: former?.name ?? null, ...followed }),
    );
    return 0;
  }
  if (file !== undefined) terminal.out(`Restored ${placeOfDatabase(config.database)} from ${resolve(file)}.`);
  if (former?.name !== undefined) terminal.out(`What was there is kept as ${former.name}.`);
  terminal.out(
    `${followed.sessions_ended} sessions ended, ${followed.links_voided} links of mails are void, ${followed.mails_withheld} mails stay unsent: what was used since the backup looks unused in it.`,
  );
  terminal.out("Passwords, roles and keys are those of the backup. Was a signing key stolen since? Rotate again.");
  return 0;
}

async function restoreFile(
  backup: string,
  config: Config,
  terminal: Terminal,
): Promise<{ readonly name: string | undefined; readonly followed: Followed }> {
  const { database } = config;
  if (database.kind !== "sqlite") {
    throw new StartError(
      database.kind === "postgres"
        ? "PostgreSQL has tools of its own for this: use pg_restore, and then restore --in-place."
        : "DATABASE_URL is sqlite::memory:, which only the server itself can reach: use a file.",
    );
  }
  const progress = createProgress(terminal);
  const restoration = await beginRestore(backup, database.path, (done, total) =>
    progress.show("copying", done, total),
  ).finally(() => progress.end());
  try {
    const draft = { ...database, path: restoration.draft };
    const platform = await createPlatform({ ...config, database: draft, logLevel: "silent" });
    let followed: Followed;
    try {
      followed = await forgetTheUndone(platform);
    } finally {
      await closePlatform(platform);
    }
    return { followed, name: restoration.complete(systemClock.now()) };
  } finally {
    restoration.discard();
  }
}

/**
 * What a database that was brought back must not know any more, in one transaction; docs/decisions/0027 tells why each.
 */
async function forgetTheUndone(platform: Platform): Promise<Followed> {
  await refuseOtherSecret(platform);
  return await inTransaction(platform, async (tx) => {
    const sessions = await endRestoredSessions(tx);
    const { tokens, mails } = await voidRestoredMail(tx);
    const followed = { sessions_ended: sessions, links_voided: tokens, mails_withheld: mails };
    await skipNumbers(tx.db, numbersSkipped);
    await recordEvent(tx, { type: "database/restored", payload: followed });
    return followed;
  });
}
