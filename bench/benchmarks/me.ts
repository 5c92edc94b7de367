import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Bench, Benchmark } from "../lib/benchmark.ts";
import { interleaved } from "../lib/compare.ts";
import { load } from "../lib/load.ts";
import { cores } from "../lib/machine.ts";
import type { Result } from "../lib/report.ts";
import { seed } from "../lib/seed.ts";
import { startScript, startTollgate, type RunningServer } from "../lib/servers.ts";

const users = 100_000;
const connections = 64;

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
  const bare = await startBare(tollgate, tokens[0] ?? "");
  try {
    say(`${rounds} times ${seconds} s each, after one to warm up`);
    const run = (url: string) => load({ url, connections, seconds, tokens });
    const { a, b } = await interleaved(rounds, { a: () => run(`${tollgate.url}/users/me`), b: () => run(bare.url) });
    const against = { againstWhat: "bare node:http" };
    return {
      rows: [
        {
          what: "requests",
          unit: "per second",
          tollgate: a.perSecond,
          against: b.perSecond,
          ...against,
          ratio: a.perSecond / b.perSecond,
          atLeast,
        },
        {
          what: "p99",
          unit: "ms",
          tollgate: a.p99Milliseconds,
          against: b.p99Milliseconds,
          ...against,
          ratio: a.p99Milliseconds / b.p99Milliseconds,
        },
      ],
    };
  } finally {
    await Promise.all([tollgate.stop(), bare.stop()]);
    seeded.remove();
  }
}

/** What Node's server adds by itself. */
const ownHeaders = new Set(["date", "connection", "keep-alive", "transfer-encoding"]);

async function startBare(tollgate: RunningServer, token: string): Promise<RunningServer> {
  const response = await fetch(`${tollgate.url}/users/me`, { headers: { authorization: `Bearer ${token}` } });
  const body = await response.text();
  if (!response.ok) throw new Error(`GET /users/me: ${response.status} ${body}`);
  const headers = Object.fromEntries([...response.headers].filter(([name]) => !ownHeaders.has(name)));
  const file = join(mkdtempSync(join(tmpdir(), "tollgate-bench-")), "answer.json");
  writeFileSync(file, JSON.stringify({ headers, body }));
  return startScript("bare.ts", { port: 8502, core: cores.server, args: [file] });
}
