import { mkdtempSync, rmSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Benchmark } from "../lib/benchmark.ts";
import { interleaved } from "../lib/compare.ts";
import { load, type Sample } from "../lib/load.ts";
import { cores } from "../lib/machine.ts";
import { seed } from "../lib/seed.ts";
import { startTollgate } from "../lib/servers.ts";

const clients = 64;

export const refresh: Benchmark = {
  name: "refresh",
  about: "POST /auth/refresh, 64 clients at once, against single-row commits of SQLite with synchronous=FULL",
  run: async ({ say, seconds, rounds }) => {
    // A measurement that ends has requests under way, whose answers are lost: each has sessions of its own.
    const perRound = clients + 1;
    const seeded = await seed(perRound * (rounds + 1), () => undefined);
    const tollgate = await startTollgate(seeded.databaseUrl, { port: 8506, core: cores.server });
    const unused = [...seeded.refreshTokens];
    const url = `${tollgate.url}/auth/refresh`;
    try {
      say(`${rounds} times ${seconds} s each, after one to warm up`);
      const { a, b } = await interleaved(rounds, {
        a: () =>
          load({ url, method: "POST", connections: clients, seconds, refreshTokens: unused.splice(0, perRound) }),
        b: () => rawCommits(seconds),
      });
      const row = { what: "refreshes", unit: "per second", againstWhat: "SQLite commits" };
      return {
        rows: [{ ...row, tollgate: a.perSecond, against: b.perSecond, ratio: a.perSecond / b.perSecond, atLeast: 0.6 }],
        notes: [`p50 ${a.p50Milliseconds.toFixed(1)} ms, p99 ${a.p99Milliseconds.toFixed(1)} ms`],
      };
    } finally {
      await tollgate.stop();
      seeded.remove();
    }
  },
};

async function rawCommits(seconds: number): Promise<Sample> {
  const directory = mkdtempSync(join(tmpdir(), "tollgate-bench-"));
  const db = new DatabaseSync(join(directory, "raw.db"));
  db.exec(
    "pragma journal_mode = wal; pragma synchronous = full; create table rows (id integer primary key, n integer)",
  );
  db.exec("insert into rows values (1, 0)");
  const update = db.prepare("update rows set n = n + 1 where id = 1");
  let count = 0;
  for (const before = performance.now(); performance.now() - before < seconds * 1000; count += 1) update.run();
  db.close();
  rmSync(directory, { recursive: true, force: true });
  return { perSecond: count / seconds, p50Milliseconds: Number.NaN, p99Milliseconds: Number.NaN };
}
