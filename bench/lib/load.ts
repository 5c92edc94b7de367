import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { cores, pinned } from "./machine.ts";

export type Load = {
  readonly url: string;
  readonly method?: "GET" | "POST";
  readonly connections: number;
  readonly seconds: number;
  /** Access tokens, taken in turn. */
  readonly tokens?: readonly string[];
  /** Cookie headers, taken in turn. */
  readonly cookies?: readonly string[];
  /** JSON bodies, taken in turn. */
  readonly bodies?: readonly string[];
  /** Refresh tokens for the bodies, one more than connections: each is used once, then the one that its answer brings. */
  readonly refreshTokens?: readonly string[];
};

export type Sample = { readonly perSecond: number; readonly p50Milliseconds: number; readonly p99Milliseconds: number };

const hasWrk = ((): boolean => {
  try {
    execFileSync("which", ["wrk"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
})();

/** Which program makes the load, to be written beside the figures. */
export const loadProgram = hasWrk ? "wrk" : "autocannon";

/** Throws when an answer was no success: a fast refusal is no speed. */
export async function load(what: Load): Promise<Sample> {
  const directory = mkdtempSync(join(tmpdir(), "tollgate-bench-"));
  const file = join(directory, "load.json");
  writeFileSync(file, JSON.stringify(what));
  const lines = (name: string, values: readonly string[] = []): string => {
    const path = join(directory, name);
    writeFileSync(path, values.map((value) => `${value}\n`).join(""));
    return path;
  };
  const command = hasWrk
    ? [
        "wrk",
        "-t1",
        `-c${what.connections}`,
        `-d${what.seconds}s`,
        "--timeout=30s",
        "-s",
        `${import.meta.dirname}/load.lua`,
        what.url,
      ]
    : [process.execPath, `${import.meta.dirname}/autocannon-load.js`, file];
  const [program, args] = pinned(cores.load, command);
  const child = spawn(program, args, {
    env: {
      ...process.env,
      BENCH_METHOD: what.method ?? "GET",
      BENCH_TOKENS: lines("tokens", what.tokens),
      BENCH_COOKIES: lines("cookies", what.cookies),
      BENCH_BODIES: lines("bodies", what.bodies),
      BENCH_REFRESH_TOKENS: lines("refresh-tokens", what.refreshTokens),
    },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [output] = await Promise.all([text(child.stdout), once(child, "close")]);
  const said = /RESULT (\{.*\})/.exec(output)?.[1];
  if (said === undefined) throw new Error(`${command[0]} said nothing that can be read: ${output}`);
  const { requests, seconds, p50, p99, failures } = JSON.parse(said) as Record<string, number>;
  if (failures !== 0 || !requests || !seconds) throw new Error(`${failures} of ${requests} answers were no success.`);
  return { perSecond: requests / seconds, p50Milliseconds: p50 ?? 0, p99Milliseconds: p99 ?? 0 };
}
