import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { takesConnections, temporaryDirectory } from "./server-process.ts";
import type { Lifetime } from "./test-database.ts";

const startMillisecondsMax = 10_000;
const lookEveryMilliseconds = 20;

export type ProxyProcess = { readonly process: ChildProcess; readonly output: () => string };

/** A proxy of Debian's. */
export type ProxyProgram = {
  readonly path: string;
  /** In the foreground, with this configuration file. */
  readonly args: (config: string) => readonly string[];
};

/** Why a test behind it is skipped here: it is not there. REQUIRE_SERVICES=1 makes that a failure. */
export function without({ path }: ProxyProgram): string | false {
  if (existsSync(path)) return false;
  if (process.env["REQUIRE_SERVICES"] === "1") throw new Error(`${path} is missing`);
  return `skipped: no ${path}`;
}

/**
 * Starts it with this configuration; killed when the test ends. Comes back when it takes connections on all `ports`.
 * Throws what it says when it does not start.
 */
export async function startProxyProcess(
  t: Lifetime,
  { path, args }: ProxyProgram,
  config: string,
  ports: readonly number[],
): Promise<ProxyProcess> {
  const file = join(temporaryDirectory(t), "proxy.conf");
  writeFileSync(file, config);
  const child = spawn(path, args(file), { stdio: ["ignore", "pipe", "pipe"] });
  const closed = once(child, "close");
  t.after(async () => {
    child.kill("SIGKILL");
    await closed;
  });
  let text = "";
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (more) => (text += more));
  for (const port of ports) {
    for (let waited = 0; !(await takesConnections(port)); waited += lookEveryMilliseconds) {
      if (child.exitCode !== null) throw new Error(`${path} ended with ${child.exitCode}:\n${text}`);
      if (waited >= startMillisecondsMax) throw new Error(`${path} does not listen on ${port}:\n${text}`);
      await pause(lookEveryMilliseconds);
    }
  }
  return { process: child, output: () => text };
}
