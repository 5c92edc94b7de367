/** The thread that writes: see sqlite-writer.ts. One statement after the other, as they are asked for. */
import { closeSync, openSync } from "node:fs";
import { parentPort, workerData } from "node:worker_threads";
import { sqliteCodes } from "./sqlite-faults.ts";
import { openSqliteFile } from "./sqlite-file.ts";
import { isPlainRead, rememberStatements } from "./sqlite-statements.ts";
import type { Answer, Question, Written } from "./sqlite-writer.ts";

const port = parentPort;
if (port === null) throw new Error("sqlite-writer-thread.ts is for a thread of its own.");
const { path } = workerData as { readonly path: string };
const database = await openSqliteFile(path);
const statements = rememberStatements(database);

function answer(question: Question): Answer {
  // A full disk or an I/O error rolls back by itself; a second rollback would hide the error that tells why.
  if (question.sql === "rollback" && !database.isTransaction) return { rows: [] };
  try {
    const written = run(question);
    const isCommitted = !database.isTransaction && !isPlainRead(question.sql);
    return isCommitted && isDiskGone() ? diskIsGone : written;
  } catch (error) {
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

const diskIsGone: Answer = {
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

port.on("message", (question: Question | "close") => {
  if (question !== "close") return port.postMessage(answer(question));
  database.close();
  port.close();
});
