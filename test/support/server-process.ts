import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { type AddressInfo, connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { after } from "node:test";
import { isOnPostgres, type Lifetime, sharedDatabase } from "./test-database.ts";

const main = resolve(import.meta.dirname, "../../src/main.ts");
const startMillisecondsMax = 60_000;

/** Hashes that cost next to nothing: for tests that are not about hashing. */
const cheapHashing = { ARGON2_MEMORY_KIB: "8", ARGON2_PASSES: "1" };

export type ServerProcess = {
  readonly url: string;
  readonly port: number;
  readonly process: ChildProcess;
  readonly dataDirectory: string;
  readonly databaseUrl: string;
  /** What it has written so far, standard output and error together. */
  readonly output: () => string;
  /** Sends SIGTERM and waits for the end. */
  readonly stop: () => Promise<{ readonly exitCode: number | null }>;
};

/** A directory of its own that goes when the test ends. */
export function temporaryDirectory(t: Lifetime): string {
  const directory = mkdtempSync(join(tmpdir(), "tollgate-"));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** The same for a whole test file or suite: it goes at the end. */
export function directoryOfFile(): string {
  const directory = mkdtempSync(join(tmpdir(), "tollgate-"));
  after(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

/** Whether somebody takes connections there. */
export async function takesConnections(port: number): Promise<boolean> {
  const socket = connect(port, "127.0.0.1");
  try {
    await once(socket, "connect");
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

/** Runs `tollgate <args>` with these settings alone, to its end. */
export async function runTollgate(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  cwd?: string,
): Promise<{ readonly exitCode: number | null; readonly stdout: string; readonly stderr: string }> {
  const child = spawn(process.execPath, [main, ...args], {
    cwd,
    env: environment(env),
    stdio: ["ignore", "pipe", "pipe"],
  });
  const [stdout, stderr] = [collect(child.stdout), collect(child.stderr)];
  const [exitCode] = (await once(child, "close")) as [number | null];
  return { exitCode, stdout: stdout(), stderr: stderr() };
}

/** Starts the real server and waits until it listens; the test's end kills it. Throws its output when it does not start. */
export async function startServer(
  t: Lifetime,
  { env = {} }: { readonly env?: Readonly<Record<string, string>> } = {},
): Promise<ServerProcess> {
  const port = Number(env["PORT"] ?? (await freePort()));
  const dataDirectory = temporaryDirectory(t);
  const ownDatabase = async () => (isOnPostgres ? await sharedDatabase(t) : `sqlite:${dataDirectory}/tollgate.db`);
  const database = env["DATABASE_URL"] ?? (await ownDatabase());
  const settings = { PORT: String(port), ...cheapHashing, ...env, DATABASE_URL: database };
  const child = spawn(process.execPath, [main, "serve"], {
    // With PostgreSQL the secret of a development server lies in ./data.
    cwd: dataDirectory,
    env: environment(settings),
    stdio: ["ignore", "pipe", "pipe"],
  });
  const ended = once(child, "close").then(([exitCode]) => ({ exitCode: exitCode as number | null }));
  t.after(async () => {
    child.kill("SIGKILL");
    await ended;
  });
  const [stdout, stderr] = [collect(child.stdout), collect(child.stderr)];
  const output = () => stdout() + stderr();
  await waitForLine(child, stdout, output);
  const stop = async () => {
    child.kill("SIGTERM");
    return await ended;
  };
  return { url: `http://127.0.0.1:${port}`, port, process: child, dataDirectory, databaseUrl: database, output, stop };
}

/** Nothing of the machine's own settings but what Node needs to run. */
function environment(env: Readonly<Record<string, string>>): Record<string, string> {
  return { PATH: process.env["PATH"] ?? "", LOG_LEVEL: "warn", ...env };
}

function collect(stream: NodeJS.ReadableStream): () => string {
  let text = "";
  stream.setEncoding("utf8").on("data", (chunk: string) => {
    text += chunk;
  });
  return () => text;
}

async function waitForLine(child: ChildProcess, stdout: () => string, output: () => string): Promise<void> {
  const { promise, resolve: listening, reject } = Promise.withResolvers<void>();
  const deadline = setTimeout(
    () => reject(new Error(`the server did not listen in time:\n${output()}`)),
    startMillisecondsMax,
  );
  child.once("close", (exitCode) => reject(new Error(`the server ended with ${exitCode}:\n${output()}`)));
  child.stdout?.on("data", () => {
    if (stdout().includes("Stop with Ctrl+C")) listening();
  });
  await promise.finally(() => clearTimeout(deadline));
}
