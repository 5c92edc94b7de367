/** The thread that writes: see sqlite-writer.ts. One statement after the other, as they are asked for. */
import { parentPort, workerData } from "node:worker_threads";
import { openSqliteFile } from "./sqlite-file.ts";
import { rememberStatements } from "./sqlite-statements.ts";
import type { Answer, Question } from "./sqlite-writer.ts";

const port = parentPort;
if (port === null) throw new Error("sqlite-writer-thread.ts is for a thread of its own.");
const { path } = workerData as { readonly path: string };
const database = await openSqliteFile(path);
const statements = rememberStatements(database);

function answer({ sql, parameters }: Question): Answer {
  // A full disk or an I/O error rolls back by itself; a second rollback would hide the error that tells why.
  if (sql === "rollback" && !database.isTransaction) return { rows: [] };
  try {
    const statement = statements.prepare(sql);
    if (statement.reader) return { rows: statement.all(parameters) };
    const { changes, lastInsertRowid } = statement.run(parameters);
    return { rows: [], changes, lastInsertRowid };
  } catch (error) {
    // A thrown error loses its own members on the way to another thread.
    const { message, ...members } = error as Error;
    return { fault: { ...members, message } };
  }
}

port.on("message", (question: Question | "close") => {
  if (question !== "close") return port.postMessage(answer(question));
  database.close();
  port.close();
});
