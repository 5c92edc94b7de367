import { execFileSync } from "node:child_process";
import { cpus, totalmem } from "node:os";

/** What figures depend on, written beside them. */
export type Machine = {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGibibytes: number;
  readonly node: string;
  readonly commit: string;
};

export function thisMachine(): Machine {
  return {
    cpu: cpus()[0]?.model ?? "unknown",
    cores: cpus().length,
    memoryGibibytes: Math.round(totalmem() / 2 ** 30),
    node: process.version,
    commit: execFileSync("git", ["describe", "--always", "--dirty"], { encoding: "utf8" }).trim(),
  };
}

/** The server has one core, the load another: neither takes time from the other. */
export const cores = { server: 0, load: cpus().length > 1 ? 1 : 0 } as const;

/** A command line that runs on this core alone. */
export function pinned(core: number, command: readonly string[]): readonly [string, readonly string[]] {
  return ["taskset", ["-c", String(core), ...command]];
}

/** Starts processes that start others in turn: all of them run on this core alone. */
export async function pinnedChildren<R>(core: number, start: () => Promise<R>): Promise<R> {
  const pinOurselves = (list: string): void =>
    void execFileSync("taskset", ["-pc", list, String(process.pid)], { stdio: "ignore" });
  pinOurselves(String(core));
  try {
    return await start();
  } finally {
    pinOurselves(`0-${cpus().length - 1}`);
  }
}
