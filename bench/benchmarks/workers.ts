import type { Benchmark } from "../lib/benchmark.ts";
import { interleaved } from "../lib/compare.ts";
import { load } from "../lib/load.ts";
import { seed } from "../lib/seed.ts";
import { startTollgate } from "../lib/servers.ts";

const users = 10_000;

export const workers: Benchmark = {
  name: "workers",
  about: "GET /users/me with two workers against one process, on one SQLite file; the load takes its part of the cores",
  run: async ({ say, seconds, rounds }) => {
    const seeded = await seed(users, (made) => say(`${made} of ${users} accounts`));
    const tokens = seeded.accessTokens.slice(0, 1_000);
    // One after the other would be fairer to the caches; both at once is fairer to the machine. Idle ones cost nothing.
    const two = await startTollgate(seeded.databaseUrl, { port: 8503, args: ["--workers", "2"] });
    const one = await startTollgate(seeded.databaseUrl, { port: 8504 });
    try {
      say(`${rounds} times ${seconds} s each, after one to warm up`);
      const run = (url: string) => load({ url: `${url}/users/me`, connections: 64, seconds, tokens });
      const { a, b } = await interleaved(rounds, { a: () => run(two.url), b: () => run(one.url) });
      const row = { what: "requests", unit: "per second", againstWhat: "one process" };
      return {
        rows: [{ ...row, tollgate: a.perSecond, against: b.perSecond, ratio: a.perSecond / b.perSecond }],
        notes: ["The load shares the cores with the workers: on two cores this is less than two workers can do."],
      };
    } finally {
      await Promise.all([one.stop(), two.stop()]);
      seeded.remove();
    }
  },
};
