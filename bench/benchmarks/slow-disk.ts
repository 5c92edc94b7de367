import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { Benchmark } from "../lib/benchmark.ts";
import { interleaved, median } from "../lib/compare.ts";
import { load, type Sample } from "../lib/load.ts";
import { cores } from "../lib/machine.ts";
import { seed } from "../lib/seed.ts";
import { type Start, startTollgate } from "../lib/servers.ts";

const syncMilliseconds = 20;
const readers = 8;
const writers = 16;

export const slowDisk: Benchmark = {
  name: "slow-disk",
  about: `GET /users/me while others refresh, where an fsync takes ${syncMilliseconds} ms more, against the disk as it is`,
  run: async ({ say, seconds, rounds }) => {
    const disk = slowDiskOf(syncMilliseconds);
    const sides = [
      await startSide(rounds, { port: 8507, env: disk.env }, seconds),
      await startSide(rounds, { port: 8508, env: {} }, seconds),
    ] as const;
    const [slow, plain] = sides;
    try {
      say(`${rounds} times ${seconds} s each, after one to warm up`);
      const { a, b } = await interleaved(rounds, { a: slow.readWhileOthersWrite, b: plain.readWhileOthersWrite });
      const alone = await slow.read();
      const p99 = { tollgate: a.p99Milliseconds, against: b.p99Milliseconds };
      const rate = { tollgate: a.perSecond, against: b.perSecond };
      const againstWhat = "the disk as it is";
      return {
        rows: [
          { what: "p99", unit: "ms", ...p99, againstWhat, ratio: p99.tollgate / p99.against, atMost: 1.5 },
          { what: "requests", unit: "per second", ...rate, againstWhat, ratio: rate.tollgate / rate.against },
        ],
        notes: [
          `${writers} clients refreshed ${slow.refreshesPerSecond()} times a second on the slow disk, ${plain.refreshesPerSecond()} on the other`,
          `while nobody writes: ${Math.round(alone.perSecond)} per second, p99 ${alone.p99Milliseconds.toFixed(1)} ms`,
        ],
      };
    } finally {
      for (const { stop } of sides) await stop();
      disk.remove();
    }
  },
};

type Side = {
  readonly read: () => Promise<Sample>;
  readonly readWhileOthersWrite: () => Promise<Sample>;
  readonly refreshesPerSecond: () => number;
  readonly stop: () => Promise<void>;
};

async function startSide(rounds: number, start: Start, seconds: number): Promise<Side> {
  const perRound = writers + 1;
  const seeded = await seed(1_000 + perRound * (rounds + 1), () => undefined);
  const tokens = seeded.accessTokens.slice(0, 1_000);
  const unused = seeded.refreshTokens.slice(1_000);
  const tollgate = await startTollgate(seeded.databaseUrl, { ...start, core: cores.server });
  const read = (): Promise<Sample> => load({ url: `${tollgate.url}/users/me`, connections: readers, seconds, tokens });
  const rates: number[] = [];
  return {
    read,
    readWhileOthersWrite: async () => {
      const refreshTokens = unused.splice(0, perRound);
      const url = `${tollgate.url}/auth/refresh`;
      const refreshing = load({ url, method: "POST", connections: writers, seconds, refreshTokens });
      const [sample, { perSecond }] = await Promise.all([read(), refreshing]);
      rates.push(perSecond);
      return sample;
    },
    refreshesPerSecond: () => Math.round(median(rates)),
    stop: async () => {
      await tollgate.stop();
      seeded.remove();
    },
  };
}

/** What makes every sync of a process take so long. Needs a C compiler. */
function slowDiskOf(milliseconds: number): {
  readonly env: Readonly<Record<string, string>>;
  readonly remove: () => void;
} {
  const directory = mkdtempSync(join(tmpdir(), "tollgate-bench-"));
  const library = join(directory, "slow-sync.so");
  const source = resolve(import.meta.dirname, "../servers/slow-sync.c");
  execFileSync("cc", ["-shared", "-fPIC", "-O2", "-o", library, source, "-ldl"]);
  return {
    env: { LD_PRELOAD: library, SLOW_SYNC_MILLISECONDS: String(milliseconds) },
    remove: () => rmSync(directory, { recursive: true, force: true }),
  };
}
