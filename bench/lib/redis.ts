import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { cores, pinned } from "./machine.ts";

const executablePath = "/usr/bin/redis-server";
const startMillisecondsMax = 10_000;

/** A Redis of its own, all in memory, on the core of the load. */
export async function startRedis(port: number): Promise<{ readonly url: string; readonly stop: () => Promise<void> }> {
  if (!existsSync(executablePath)) throw new Error(`${executablePath} is missing: apt-get install redis-server`);
  const directory = mkdtempSync(join(tmpdir(), "tollgate-bench-"));
  const inMemory = ["--save", "", "--appendonly", "no", "--bind", "127.0.0.1", "--dir", directory];
  const [program, args] = pinned(cores.load, [executablePath, "--port", String(port), ...inMemory]);
  const child = spawn(program, args, { stdio: "ignore" });
  for (let waited = 0; !(await takesConnections(port)); waited += 20) {
    if (child.exitCode !== null || waited > startMillisecondsMax) throw new Error("redis-server does not answer.");
    await pause(20);
  }
  return {
    url: `redis://127.0.0.1:${port}`,
    stop: async () => {
      child.kill("SIGTERM");
      await once(child, "exit");
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

async function takesConnections(port: number): Promise<boolean> {
  const socket = connect(port, "127.0.0.1");
  const isTaken = await once(socket, "connect").then(
    () => true,
    () => false,
  );
  socket.destroy();
  return isTaken;
}
