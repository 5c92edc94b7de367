import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { temporaryDirectory } from "./server-process.ts";
import type { Lifetime } from "./test-database.ts";

const executablePath = "/usr/sbin/haproxy";
const startMillisecondsMax = 10_000;
const lookEveryMilliseconds = 20;

export type Haproxy = { readonly process: ChildProcess; readonly output: () => string };

/** Why a test behind haproxy is skipped here: there is none. REQUIRE_SERVICES=1 makes that a failure. */
export function withoutHaproxy(): string | false {
  if (existsSync(executablePath)) return false;
  if (process.env["REQUIRE_SERVICES"] === "1") throw new Error(`${executablePath} is missing`);
  return "skipped: no haproxy";
}

/**
 * Debian's haproxy with this configuration, in the foreground, killed when the test ends. Comes back when it takes
 * connections on all `ports`. Throws what it says when it does not start.
 */
export async function startHaproxy(t: Lifetime, config: string, ports: readonly number[]): Promise<Haproxy> {
  const path = join(temporaryDirectory(t), "haproxy.cfg");
  writeFileSync(path, config);
  const child = spawn(executablePath, ["-db", "-f", path], { stdio: ["ignore", "pipe", "pipe"] });
  const closed = once(child, "close");
  t.after(async () => {
    child.kill("SIGKILL");
    await closed;
  });
  let text = "";
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (more) => (text += more));
  for (const port of ports) {
    for (let waited = 0; !(await isTaking(port)); waited += lookEveryMilliseconds) {
      if (child.exitCode !== null) throw new Error(`haproxy ended with ${child.exitCode}:\n${text}`);
      if (waited >= startMillisecondsMax) throw new Error(`haproxy does not listen on ${port}:\n${text}`);
      await pause(lookEveryMilliseconds);
    }
  }
  return { process: child, output: () => text };
}

async function isTaking(port: number): Promise<boolean> {
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
