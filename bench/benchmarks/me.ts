import type { Bench, Benchmark } from "../lib/benchmark.ts";
import { interleaved, rateRow, requestRows } from "../lib/compare.ts";
import { load } from "../lib/load.ts";
import { cores } from "../lib/machine.ts";
import type { Result } from "../lib/report.ts";
import { seed } from "../lib/seed.ts";
import { answerOf, fileOf, startScript, startTollgate } from "../lib/servers.ts";

const users = 100_000;
const connections = 64;
/** More than is asked for: each request is counted, and none refused. */
const countedLimit = { LIMIT_API: "1000000/1m" };

export const me: Benchmark = {
  name: "me",
  about: "GET /users/me, 1,000 different tokens, against a bare node:http server that sends the same bytes and headers",
  run: (bench) => againstBare(bench, { tokens: 1_000, atLeast: 0.7 }),
};

export const meCold: Benchmark = {
  name: "me-cold",
  about: "the same, every request another one of 100,000 sessions",
  run: (bench) => againstBare(bench, { tokens: users, atLeast: 0.3 }),
};

async function againstBare(
  { say, seconds, rounds }: Bench,
  { tokens: count, atLeast }: { readonly tokens: number; readonly atLeast: number },
): Promise<Result> {
  const seeded = await seed(users, (made) => say(`${made} of ${users} accounts`));
  const tokens = seeded.accessTokens.slice(0, count);
  const tollgate = await startTollgate(seeded.databaseUrl, { port: 8501, core: cores.server });
  const limited = await startTollgate(seeded.databaseUrl, { port: 8503, core: cores.server, env: countedLimit });
  const answer = fileOf(await answerOf(`${tollgate.url}/users/me`, tokens[0] ?? ""));
  const bare = await startScript("bare.ts", { port: 8502, core: cores.server, args: [answer] });
  try {
    say(`${rounds} times ${seconds} s each, after one to warm up`);
    const run = (url: string) => load({ url, connections, seconds, tokens });
    const { a, b, c } = await interleaved(rounds, {
      a: () => run(`${tollgate.url}/users/me`),
      b: () => run(bare.url),
      c: () => run(`${limited.url}/users/me`),
    });
    const againstWhat = "bare node:http";
    const counted = rateRow(c, b, { what: "requests, LIMIT_API on", againstWhat });
    return { rows: [...requestRows(a, b, { againstWhat, atLeast }), counted] };
  } finally {
    await Promise.all([tollgate.stop(), limited.stop(), bare.stop()]);
    seeded.remove();
  }
}
