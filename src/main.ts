import { enableCompileCache } from "node:module";
import { resolve } from "node:path";

// Compiled code is kept for the next start, which takes half the time. Beside the packages, where nobody else writes,
// rather than in /tmp; where nothing can be written, nothing is kept. What it holds goes by content and version.
// By its name threads and workers find it too. Who sets it before spares this file, and 17 MB, the stripping of types.
process.env["NODE_COMPILE_CACHE"] ??= resolve(import.meta.dirname, "../node_modules/.cache/node");
enableCompileCache(process.env["NODE_COMPILE_CACHE"]);
const { runCli } = await import("./cli/cli.ts");

const { stdout, stderr } = process;

/** A reader that has gone, or a full disk behind a redirection, must not end the server (EPIPE, ENOSPC). */
function writer(stream: NodeJS.WriteStream): (line: string) => void {
  stream.on("error", () => undefined);
  return (line) => void stream.write(`${line}\n`);
}

const terminal = {
  env: process.env,
  out: writer(stdout),
  err: writer(stderr),
  redraw: stderr.isTTY ? (line: string) => void stderr.write(`\r\u001B[2K${line}`) : undefined,
};

// Whatever still hangs, as a client that reads nothing: the command has ended, and with it the process.
process.exit(await runCli(process.argv.slice(2), terminal));
