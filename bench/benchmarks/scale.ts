import type { Bench, Benchmark } from "../lib/benchmark.ts";
import { interleaved, rateRow } from "../lib/compare.ts";
import { load, type Load } from "../lib/load.ts";
import { cores } from "../lib/machine.ts";
import type { Row } from "../lib/report.ts";
import { password } from "../lib/seed.ts";
import { seedMany, type SeededMany } from "../lib/seed-many.ts";
import { startTollgate, type RunningServer } from "../lib/servers.ts";

const sizes = { small: 1_000, middle: 100_000, large: 1_000_000 } as const;
type Size = keyof typeof sizes;
/** Who signs in and asks; the others are only there. */
const active = 1_000;

export const scale: Benchmark = {
  name: "scale",
  about: "me, login and the list of accounts with 100,000 and 1,000,000 users against 1,000",
  run: async (bench) => {
    const running: Partial<Record<Size, Running>> = {};
    try {
      for (const [index, size] of (Object.keys(sizes) as Size[]).entries()) {
        const users = sizes[size];
        const seeded = await seedMany(users, active, (made) => bench.say(`${made} of ${users} accounts`));
        const settings = { port: 8541 + index, core: cores.server, env: { HASH_QUEUE: "100" } };
        running[size] = { seeded, server: await startTollgate(seeded.databaseUrl, settings) };
      }
      const { small, middle, large } = running as Record<Size, Running>;
      const rows: Row[] = [];
      for (const [what, loadOf] of Object.entries(kinds)) {
        rows.push(...(await compareSizes(bench, what, { small, middle, large }, loadOf)));
      }
      return { rows, notes };
    } finally {
      for (const { seeded, server } of Object.values(running)) {
        await server.stop();
        seeded.remove();
      }
    }
  },
};

type Running = { readonly seeded: SeededMany; readonly server: RunningServer };
type LoadOf = (seeded: SeededMany) => Omit<Load, "url" | "seconds"> & { readonly path: string };

const notes = [
  "Each server has its own file and the same core, and is asked alone, in turn. The 1,000 users who ask are spread evenly over all.",
  "list: GET /admin/users, the first page of 50; with q the first 50 of those whose words begin so, which all sizes have.",
  "list, q of two frequent words: to find the rarer one, each is counted, up to 5,000. With 100,000 users that bound is reached; from there it is flat.",
];

const kinds: Readonly<Record<string, LoadOf>> = {
  me: ({ accessTokens }) => ({ path: "/users/me", connections: 64, tokens: accessTokens }),
  login: ({ emails }) => ({
    path: "/auth/login",
    method: "POST",
    connections: 8,
    bodies: emails.map((email) => JSON.stringify({ email, password })),
  }),
  list: ({ accessTokens }) => listOf(accessTokens, ""),
  "list, q": ({ accessTokens }) => listOf(accessTokens, "?q=user1"),
  "list, q of one account": ({ accessTokens }) => listOf(accessTokens, "?q=user999%40example.com+example"),
  "list, q of two frequent words": ({ accessTokens }) => listOf(accessTokens, "?q=user1+example"),
};

function listOf(accessTokens: readonly string[], query: string) {
  return { path: `/admin/users${query}`, connections: 16, tokens: accessTokens.slice(0, 1) };
}

async function compareSizes(
  { say, rounds, seconds }: Bench,
  what: string,
  running: Readonly<Record<Size, Running>>,
  loadOf: LoadOf,
): Promise<readonly Row[]> {
  say(`${what}: ${rounds} times ${seconds} s each, after one to warm up`);
  const ask = (size: Size) => () => {
    const { path, ...rest } = loadOf(running[size].seeded);
    return load({ ...rest, url: running[size].server.url + path, seconds });
  };
  const { small, middle, large } = await interleaved(rounds, {
    small: ask("small"),
    middle: ask("middle"),
    large: ask("large"),
  });
  const row = { againstWhat: "1,000 users", atLeast: 0.8 };
  return [
    rateRow(middle, small, { ...row, what: `${what}, 100,000 users` }),
    rateRow(large, small, { ...row, what: `${what}, 1,000,000 users` }),
  ];
}
