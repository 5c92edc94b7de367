import { mkdtempSync, rmSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Benchmark } from "../lib/benchmark.ts";
import { interleaved } from "../lib/compare.ts";
import type { Sample } from "../lib/load.ts";
import { seed } from "../lib/seed.ts";
import { startTollgate } from "../lib/servers.ts";

const clients = 64;

export const refresh: Benchmark = {
  name: "refresh",
  about: "POST /auth/refresh, 64 clients at once, against single-row commits of SQLite with synchronous=FULL",
  run: async ({ say, seconds, rounds }) => {
    const seeded = await seed(clients, () => undefined);
    const tollgate = await startTollgate(seeded.databaseUrl, { port: 8506 });
    const newest = [...seeded.refreshTokens];
    try {
      say(`${rounds} times ${seconds} s each, after one to warm up`);
      const { a, b } = await interleaved(rounds, {
        a: () => refreshAll(tollgate.url, newest, seconds),
        b: () => rawCommits(seconds),
      });
      const row = { what: "refreshes", unit: "per second", againstWhat: "SQLite commits" };
      return {
        rows: [{ ...row, tollgate: a.perSecond, against: b.perSecond, ratio: a.perSecond / b.perSecond, atLeast: 0.6 }],
      };
    } finally {
      await tollgate.stop();
      seeded.remove();
    }
  },
};

/** Each client refreshes as soon as it has its answer, with the token of that answer. */
export async function refreshAll(url: string, newest: string[], seconds: number): Promise<Sample> {
  const end = performance.now() + seconds * 1000;
  const times: number[] = [];
  await Promise.all(
    newest.map(async (_, index) => {
      while (performance.now() < end) {
        const before = performance.now();
        const response = await fetch(`${url}/auth/refresh`, {
          method: "POST",
          headers: { "content-type": "application/json" },
          body: JSON.stringify({ refresh_token: newest[index] }),
        });
        const body = (await response.json()) as { readonly refresh_token: string };
        if (!response.ok) throw new Error(`POST /auth/refresh: ${response.status} ${JSON.stringify(body)}`);
        newest[index] = body.refresh_token;
        times.push(performance.now() - before);
      }
    }),
  );
  const sorted = times.toSorted((x, y) => x - y);
  const at = (share: number): number => sorted[Math.floor(sorted.length * share)] ?? Number.NaN;
  return { perSecond: times.length / seconds, p50Milliseconds: at(0.5), p99Milliseconds: at(0.99) };
}

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
