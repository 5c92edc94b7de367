import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { pinned } from "./machine.ts";

const root = resolve(import.meta.dirname, "../..");
const startMillisecondsMax = 60_000;

export type RunningServer = {
  readonly url: string;
  readonly pid: number;
  /** From the start of the process to its first answer. */
  readonly startMilliseconds: number;
  readonly stop: () => Promise<void>;
};

export type Start = {
  readonly port: number;
  /** One core alone; left out, it may use all. */
  readonly core?: number;
  readonly env?: Readonly<Record<string, string>>;
  readonly args?: readonly string[];
};

/** As in production: no trace in the answers, only warnings in the log. Limits are off, for it is not they that are measured. */
const production = {
  TOLLGATE_MODE: "production",
  SECRET_KEY: "bench-bench-bench-bench-bench-bench-bench",
  LOG_LEVEL: "warn",
  PUBLIC_URL: "https://bench.example",
  TRUSTED_PROXIES: "192.0.2.1",
  LIMIT_API: "off",
  LIMIT_SIGN_UP: "off",
  LIMIT_LOGIN_ADDRESS: "off",
  LIMIT_LOGIN_ACCOUNT: "off",
  LIMIT_REFRESH: "off",
  ACCESS_TOKEN_LIFETIME: "1h",
  EMAIL_VERIFICATION: "off",
};

/** The settings that the benchmarks run Tollgate with. */
export function benchSettings(databaseUrl: string): Readonly<Record<string, string>> {
  return { ...production, DATABASE_URL: databaseUrl };
}

export function startTollgate(databaseUrl: string, start: Start): Promise<RunningServer> {
  const settings = { ...benchSettings(databaseUrl), PORT: String(start.port), ...start.env };
  return startNode(["src/main.ts", "serve", ...(start.args ?? [])], "/health/live", { ...start, env: settings });
}

/** A script of bench/servers, which is told its port and what else it needs. */
export function startScript(name: string, start: Start): Promise<RunningServer> {
  const env = { PORT: String(start.port), ...start.env };
  return startNode([`bench/servers/${name}`, ...(start.args ?? [])], "/", { ...start, env });
}

/** What Node's server adds by itself. */
const ownHeaders = new Set(["date", "connection", "keep-alive", "transfer-encoding"]);

export type RecordedAnswer = { readonly headers: Readonly<Record<string, string>>; readonly body: string };

/** What a bare server is to send, byte for byte. */
export async function answerOf(url: string, token: string): Promise<RecordedAnswer> {
  const response = await fetch(url, { headers: { authorization: `Bearer ${token}` } });
  const body = await response.text();
  if (!response.ok) throw new Error(`GET ${url}: ${response.status} ${body}`);
  return { headers: Object.fromEntries([...response.headers].filter(([name]) => !ownHeaders.has(name))), body };
}

/** For a script of bench/servers to read. */
export function fileOf(content: unknown): string {
  const file = join(mkdtempSync(join(tmpdir(), "tollgate-bench-")), "content.json");
  writeFileSync(file, JSON.stringify(content));
  return file;
}

/**
 * Of each server alike: who is run as .ts without it carries Node's stripper of types, 17 MB. `npm start` has it too.
 * A server that was never started before writes it as it ends.
 */
const compileCache = join(root, "node_modules/.cache/node");

async function startNode(args: readonly string[], path: string, { port, core, env }: Start): Promise<RunningServer> {
  const url = `http://127.0.0.1:${port}`;
  const command = [process.execPath, ...args];
  const [program, rest] = core === undefined ? [process.execPath, args] : pinned(core, command);
  const before = performance.now();
  const child = spawn(program, rest, {
    cwd: root,
    env: { PATH: process.env["PATH"] ?? "", NODE_COMPILE_CACHE: compileCache, ...env },
    stdio: ["ignore", "ignore", "inherit"],
  });
  await firstAnswer(child, url + path);
  return { url, pid: child.pid ?? 0, startMilliseconds: performance.now() - before, stop: () => stop(child) };
}

async function firstAnswer(child: ChildProcess, url: string): Promise<void> {
  const before = performance.now();
  while (performance.now() - before < startMillisecondsMax) {
    if (child.exitCode !== null) throw new Error(`${url} ended with ${child.exitCode} before it answered.`);
    const response = await fetch(url).catch(() => undefined);
    await response?.arrayBuffer();
    if (response?.ok) return;
    await pause(5);
  }
  throw new Error(`${url} did not answer.`);
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill("SIGTERM");
  await once(child, "exit");
}

/** What the kernel counts for this process as resident, in MiB. */
export function residentMebibytes(pid: number): number {
  const [, kibibytes] = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
  return Number(kibibytes) / 1024;
}
