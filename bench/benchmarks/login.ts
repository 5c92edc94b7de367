import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import type { Benchmark } from "../lib/benchmark.ts";
import { interleaved, median } from "../lib/compare.ts";
import { hashingSeconds } from "../lib/cpu-time.ts";
import { load, type Sample } from "../lib/load.ts";
import { emailOf, password, seed } from "../lib/seed.ts";
import { startTollgate } from "../lib/servers.ts";

const users = 1_000;

export const login: Benchmark = {
  name: "login",
  about: "POST /auth/login against the raw argon2id rate of all cores, with the same parameters",
  run: async ({ say, seconds, rounds }) => {
    const seeded = await seed(users, (made) => say(`${made} of ${users} accounts`));
    const tollgate = await startTollgate(seeded.databaseUrl, { port: 8505, env: { HASH_QUEUE: "100" } });
    const bodies = Array.from({ length: users }, (_, index) => JSON.stringify({ email: emailOf(index), password }));
    const url = `${tollgate.url}/auth/login`;
    // More clients than threads, so that none of these waits for work.
    const connections = 4 * availableParallelism();
    try {
      say(`${rounds} times ${seconds} s each, after one to warm up`);
      const costs: Cost[] = [];
      const { a, b } = await interleaved(rounds, {
        a: () => {
          const signIn = () => load({ url, method: "POST", connections, seconds, bodies });
          return withCost(tollgate.pid, costs, seconds, signIn);
        },
        b: () => rawRate(seconds),
      });
      const row = { what: "sign-ins", unit: "per second", againstWhat: "argon2id alone" };
      return {
        rows: [{ ...row, tollgate: a.perSecond, against: b.perSecond, ratio: a.perSecond / b.perSecond, atLeast: 0.9 }],
        notes: [
          `A sign-in took ${milliseconds(costs, "hashing")} of CPU in the hash threads and ${milliseconds(costs, "others")} in the others; a hash alone takes ${((availableParallelism() * 1000) / b.perSecond).toFixed(1)} ms.`,
        ],
      };
    } finally {
      await tollgate.stop();
      seeded.remove();
    }
  },
};

/** Milliseconds of CPU for one sign-in. */
type Cost = { readonly hashing: number; readonly others: number };

async function withCost(pid: number, costs: Cost[], seconds: number, signIn: () => Promise<Sample>): Promise<Sample> {
  const before = hashingSeconds(pid);
  const sample = await signIn();
  const after = hashingSeconds(pid);
  const each = 1000 / (sample.perSecond * seconds);
  costs.push({ hashing: each * (after.hashing - before.hashing), others: each * (after.others - before.others) });
  return sample;
}

function milliseconds(costs: readonly Cost[], of: keyof Cost): string {
  return `${median(costs.slice(1).map((cost) => cost[of])).toFixed(1)} ms`;
}

/** As many verifications as all cores do. Times of single ones are not looked at. */
async function rawRate(seconds: number): Promise<Sample> {
  const counts = await Promise.all(
    Array.from({ length: availableParallelism() }, () => {
      const worker = new Worker(new URL("../servers/argon2-worker.ts", import.meta.url), {
        workerData: { password, seconds },
      });
      return new Promise<number>((resolve, reject) => worker.once("message", resolve).once("error", reject));
    }),
  );
  const perSecond = counts.reduce((sum, count) => sum + count, 0) / seconds;
  return { perSecond, p50Milliseconds: Number.NaN, p99Milliseconds: Number.NaN };
}
