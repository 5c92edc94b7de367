import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { pino } from "pino";
import { Registry } from "prom-client";
import { systemClock } from "../../src/platform/clock.ts";
import { createRedisClient } from "../../src/platform/redis/redis-client.ts";
import { createRedisMetrics } from "../../src/platform/redis/redis-metrics.ts";
import { createRedis, type Redis, type RedisParts } from "../../src/platform/redis/redis.ts";
import { parseRedisUrl } from "../../src/redis-url.ts";
import { freePort, takesConnections, temporaryDirectory } from "./server-process.ts";
import type { Lifetime } from "./test-database.ts";

const executablePath = "/usr/bin/redis-server";
const startMillisecondsMax = 10_000;

/** A throw-away Redis on a free port of this machine, all in memory. */
export type RedisServer = {
  readonly port: number;
  /** What REDIS_URL is to be. */
  readonly url: string;
  readonly signal: (signal: NodeJS.Signals) => void;
  /** SIGKILL, and waits until it has ended. */
  readonly kill: () => Promise<void>;
  /** After a kill: an empty one on the same port. */
  readonly start: () => Promise<void>;
};

/** Why a test of Redis is skipped here: there is none. REQUIRE_SERVICES=1 makes that a failure. */
export function withoutRedis(): string | false {
  if (existsSync(executablePath)) return false;
  if (process.env["REQUIRE_SERVICES"] === "1") throw new Error(`${executablePath} is missing`);
  return "skipped: no redis-server";
}

/** Debian's Redis, killed when the test ends. */
export async function startRedis(t: Lifetime, args: readonly string[] = []): Promise<RedisServer> {
  const port = await freePort();
  const directory = temporaryDirectory(t);
  let child: ChildProcess | undefined;
  const kill = async (): Promise<void> => {
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const closed = once(child, "close");
    child.kill("SIGKILL");
    await closed;
  };
  const start = async (): Promise<void> => {
    const inMemory = ["--save", "", "--appendonly", "no", "--bind", "127.0.0.1", "--dir", directory];
    child = spawn(executablePath, ["--port", String(port), ...inMemory, ...args], { stdio: "ignore" });
    await waitForAnswer(child, port);
  };
  t.after(kill);
  await start();
  return { port, url: `redis://127.0.0.1:${port}`, signal: (signal) => void child?.kill(signal), kill, start };
}

async function waitForAnswer(child: ChildProcess, port: number): Promise<void> {
  for (let waited = 0; waited < startMillisecondsMax; waited += 20) {
    if (child.exitCode !== null) throw new Error(`redis-server ended with ${child.exitCode}`);
    // Listening is enough: one that wants a password or speaks TLS answers no plain PING.
    if (await takesConnections(port)) return;
    await pause(20);
  }
  throw new Error("redis-server did not answer in time");
}

/** The port to a Redis, open. */
export async function openRedis(t: Lifetime, url: string, parts: Partial<RedisParts> = {}): Promise<Redis> {
  const address = parseRedisUrl(url);
  assert.ok("value" in address && address.value !== undefined);
  const redis = createRedis({
    client: createRedisClient(address.value),
    keyPrefix: `test-${randomUUID()}:`,
    clock: systemClock,
    metrics: createRedisMetrics(new Registry()),
    log: pino({ level: "silent" }),
    ...parts,
  });
  t.after(redis.close);
  await redis.open();
  return redis;
}
