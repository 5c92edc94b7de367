import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "../test/support/server-process.ts";

/** A Tollgate of the proof's own, that may be killed and comes back on the same port and data. */
export type OwnServer = AsyncDisposable & {
  readonly url: string;
  /** kill -9, what is to happen while there is no process, then a new one on the same data. Resolves when that listens. */
  readonly crash: (meanwhile?: () => Promise<void>) => Promise<void>;
  readonly stop: () => Promise<void>;
};

const unlimited = Object.fromEntries(
  [
    "LIMITED",
    "SIGN_UP",
    "LOGIN_ADDRESS",
    "LOGIN_ACCOUNT",
    "MAIL_ADDRESS",
    "MAIL_ACCOUNT",
    "MAIL_PROOF",
    "REFRESH",
    "API",
  ].map((name) => [`LIMIT_${name}`, "off"]),
);

export async function startOwnServer(env: Readonly<Record<string, string>>): Promise<OwnServer> {
  const directory = mkdtempSync(join(tmpdir(), "tollgate-proof-"));
  const port = await freePort();
  // A secret of its own: with DATABASE_URL=postgres://… the one of development would lie in the working directory.
  const secret = { SECRET_KEY: randomBytes(32).toString("base64url") };
  const settings = { ...unlimited, ...secret, LOG_LEVEL: "error", PORT: String(port), ...env };
  const url = `http://127.0.0.1:${port}`;
  const start = async (): Promise<ChildProcess> => {
    const main = join(import.meta.dirname, "../src/main.ts");
    const child = spawn(process.execPath, [main, "serve"], {
      env: { PATH: process.env["PATH"] ?? "", DATABASE_URL: `sqlite:${directory}/tollgate.db`, ...settings },
      stdio: ["ignore", "ignore", "inherit"],
    });
    await waitUntilReady(url, child);
    return child;
  };
  let child = await start();
  process.once("exit", () => child.kill("SIGKILL"));
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, "close");
    child.kill(signal);
    await ended;
  };
  const stop = async (): Promise<void> => {
    await end("SIGTERM");
    rmSync(directory, { recursive: true, force: true });
  };
  return {
    url,
    crash: async (meanwhile) => {
      await end("SIGKILL");
      await meanwhile?.();
      child = await start();
    },
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

async function waitUntilReady(url: string, child: ChildProcess): Promise<void> {
  for (let tries = 0; tries < 400; tries += 1) {
    const end = child.exitCode ?? child.signalCode;
    if (end !== null) throw new Error(`the server ended with ${end}`);
    const response = await fetch(`${url}/health/ready`).catch(() => undefined);
    if (response?.status === 200) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error("the server did not get ready within 20 seconds");
}
