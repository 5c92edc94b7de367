/** The thread that writes: see sqlite-writer.ts. One statement after the other, as they are asked for. */
import { closeSync, openSync } from "node:fs";
import { receiveMessageOnPort, workerData } from "node:worker_threads";
import { sqliteCodes } from "./sqlite-faults.ts";
import { openSqliteFile } from "./sqlite-file.ts";
import { rememberStatements } from "./sqlite-statements.ts";
import { countOne } from "./sqlite-writer.ts";
import type { Answer, Question, ToWriter, WriterPart, Written } from "./sqlite-writer.ts";

const { path, port, counts } = workerData as WriterPart;
const database = await openSqliteFile(path);
const statements = rememberStatements(database);

function outcomeOf(question: Question): Answer["outcome"] {
  try {
    const written = run(question);
    return question.sql === "commit" && isDiskGone() ? diskIsGone : written;
  } catch (error) {
    // The next one begins anew, whatever became of this.
    if (question.sql === "commit" && database.isTransaction) database.exec("rollback");
    // A thrown error loses its own members on the way to another thread.
    const { message, ...members } = error as Error;
    return { fault: { ...members, message } };
  }
}

function run({ sql, parameters }: Question): Written {
  const statement = statements.prepare(sql);
  if (statement.reader) return { rows: statement.all(parameters) };
  const { changes, lastInsertRowid } = statement.run(parameters);
  return { rows: [], changes, lastInsertRowid };
}

const diskIsGone: Answer["outcome"] = {
  fault: { code: "ERR_SQLITE_ERROR", errcode: sqliteCodes.ioError, message: "disk I/O error after a commit" },
};

/**
 * A sync that is under way while the file system is given up (a disk that is pulled, `xfs_io shutdown`) may be told that
 * all is well: seen with ext4 (decision 31). But nothing can be opened there any more. Of the database's files this one
 * has no locks that closing it would drop.
 */
function isDiskGone(): boolean {
  try {
    closeSync(openSync(`${path}-wal`, "r"));
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EIO";
  }
}

function heed(told: ToWriter): void {
  if (told === "close") {
    database.close();
    return port.close();
  }
  for (const sql of told.before) run({ sql, parameters: [] });
  port.postMessage({ outcome: outcomeOf(told), isTransaction: database.isTransaction } satisfies Answer);
  countOne(counts.answered);
}

// In a transaction the next one comes at once: to wait for it on the spot costs half of what an event does.
port.on("message", (told: ToWriter) => {
  heed(told);
  while (database.isOpen && database.isTransaction) {
    const count = Atomics.load(counts.asked, 0);
    const next = receiveMessageOnPort(port);
    if (next === undefined) Atomics.wait(counts.asked, 0, count);
    else heed(next.message as ToWriter);
  }
});
