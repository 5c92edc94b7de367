import { Writable } from "node:stream";
import { pino, type Logger } from "pino";
import type { Config } from "../../config.ts";

/**
 * JSON lines in production; in development a line that a person reads at a glance. Of several processes that write to
 * one place, each says which it is.
 */
export async function createLog(
  { mode, logLevel }: Pick<Config, "mode" | "logLevel">,
  worker?: number | "primary",
): Promise<Logger> {
  const options = { level: logLevel, base: worker === undefined ? null : { worker }, messageKey: "message" };
  const destination = standardOutput();
  if (mode === "production") return pino(options, destination);
  const { default: pretty } = await import("pino-pretty");
  const shownInLine = "method,path,status,gate,code,duration_ms,request_id,address,account_id,worker,time";
  return pino(options, pretty({ messageKey: "message", messageFormat: requestLine, ignore: shownInLine, destination }));
}

/**
 * A line that cannot be written is lost, and the next one is tried: main.ts lets the errors of process.stdout pass.
 * pino's own destination loops for ever on a full disk.
 */
function standardOutput(): Writable {
  return new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      process.stdout.write(chunk);
      done();
    },
  });
}

function requestLine(line: Readonly<Record<string, unknown>>, messageKey: string): string {
  const { method, path, status, gate, code, duration_ms: milliseconds, request_id: requestId, worker } = line;
  const who = typeof worker === "number" || typeof worker === "string" ? `worker ${worker}` : "";
  const why = typeof code === "string" ? `${typeof gate === "string" ? gate : ""} ${code}`.trim() : "";
  if (method === undefined) return [line[messageKey], why, requestId, who].filter(Boolean).join(" ");
  return [method, path, status, why, `${String(milliseconds)} ms`, requestId, who].filter(Boolean).join(" ");
}
