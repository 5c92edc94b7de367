import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Bench, Benchmark } from "../lib/benchmark.ts";
import { interleaved, median, rateRow } from "../lib/compare.ts";
import { load, type Sample } from "../lib/load.ts";
import { cores } from "../lib/machine.ts";
import type { Row } from "../lib/report.ts";
import { emailOf, password, seed, type Seeded } from "../lib/seed.ts";
import { startScript, startTollgate, type RunningServer, type Start } from "../lib/servers.ts";
import { measureStart } from "./start.ts";

const users = 10_000;
const sessions = 1_000;
const refreshers = 64;
const againstWhat = "Better Auth";

export const peers: Benchmark = {
  name: "peers",
  about: "Better Auth on the same SQLite and Node: me, login, refresh, start, memory",
  run: async (bench) => {
    const seeded = await seed(users, (made) => bench.say(`${made} of ${users} accounts`));
    const directory = mkdtempSync(join(tmpdir(), "tollgate-bench-"));
    const file = join(directory, "better-auth.db");
    try {
      // Only there once bench.ts has installed it.
      const { seedBetterAuth } = await import("../lib/better-auth.js");
      const cookies = await seedBetterAuth(file, { users, emailOf, password });
      const rows = [
        ...(await compareMe(bench, seeded, { file, cookies: cookies.slice(0, sessions) })),
        ...(await compareLogin(bench, seeded, file)),
        ...(await compareRefresh(bench, seeded, { file, cookies: cookies.slice(0, refreshers) })),
        ...(await compareStart(bench, seeded, file)),
      ];
      return { rows, notes };
    } finally {
      seeded.remove();
      rmSync(directory, { recursive: true, force: true });
    }
  },
};

const notes = [
  "me: GET /users/me against GET /api/auth/get-session, which both read session and user afresh; 64 connections, one core.",
  "me, its cookie cache on: Better Auth then believes a signed cookie until it is too old. It is off by default, and off in the row above.",
  "login: both check argon2id with the same parameters, so it is the hash that is compared where the ratio is near 1.",
  "refresh: Better Auth has no refresh tokens; get-session with updateAge 0, which writes the session's new end, is the nearest. Both commit with synchronous=FULL.",
];

type Peer = { readonly file: string; readonly cookies: readonly string[] };

async function withServers<T>(
  seeded: Seeded,
  file: string,
  env: Readonly<Record<string, string>>,
  run: (own: string, other: string) => Promise<T>,
): Promise<T> {
  const servers: RunningServer[] = [];
  try {
    servers.push(await startOwn(seeded, { env: { HASH_QUEUE: "100" } }), await startOther(file, { env }));
    const [own, other] = servers.map(({ url }) => url);
    return await run(own ?? "", other ?? "");
  } finally {
    await Promise.all(servers.map((server) => server.stop()));
  }
}

function startOwn(seeded: Seeded, start: Partial<Start>): Promise<RunningServer> {
  return startTollgate(seeded.databaseUrl, { port: 8531, core: cores.server, ...start });
}

function startOther(file: string, start: Partial<Start>): Promise<RunningServer> {
  return startScript("better-auth.js", { port: 8532, core: cores.server, args: [file], ...start });
}

async function compareMe(bench: Bench, seeded: Seeded, { file, cookies }: Peer): Promise<readonly Row[]> {
  const tokens = seeded.accessTokens.slice(0, sessions);
  const compare = async (own: string, url: string, sent: readonly string[], row: Pick<Row, "what" | "atLeast">) =>
    compareRates(
      bench,
      { againstWhat, ...row },
      {
        tollgate: ({ seconds }) => load({ url: `${own}/users/me`, connections: 64, seconds, tokens }),
        other: ({ seconds }) => load({ url, connections: 64, seconds, cookies: sent }),
      },
    );
  const row = await withServers(seeded, file, {}, async (own, other) =>
    compare(own, `${other}/api/auth/get-session`, cookies, { what: "me", atLeast: 25 }),
  );
  const cachedRow = await withServers(seeded, file, { COOKIE_CACHE: "on" }, async (own, other) => {
    const url = `${other}/api/auth/get-session`;
    const sent = await Promise.all(cookies.map((cookie) => withCache(url, cookie)));
    const served = (await isServedAfterSignOut(other, url, sent[0] ?? "")) ? "still served" : "not served";
    return compare(own, url, sent.slice(1), { what: `me, its cookie cache on: once signed out, ${served}` });
  });
  return [row, cachedRow];
}

/** Whether a session that has ended is told as if it were there. */
async function isServedAfterSignOut(origin: string, url: string, cookie: string): Promise<boolean> {
  const headers = { cookie, origin };
  const signOut = await fetch(`${origin}/api/auth/sign-out`, { method: "POST", headers });
  if (!signOut.ok) throw new Error(`POST /sign-out: ${signOut.status} ${await signOut.text()}`);
  return (await (await fetch(url, { headers })).text()) !== "null";
}

/** The cookie of the session, with the one that keeps what it says. */
async function withCache(url: string, cookie: string): Promise<string> {
  const response = await fetch(url, { headers: { cookie } });
  await response.arrayBuffer();
  const kept = response.headers.getSetCookie().map((line) => line.split(";", 1)[0] ?? "");
  return [cookie, ...kept.filter((one) => !cookie.startsWith(one.split("=", 1)[0] ?? ""))].join("; ");
}

async function compareLogin(bench: Bench, seeded: Seeded, file: string): Promise<readonly Row[]> {
  const bodies = Array.from({ length: sessions }, (_, index) => JSON.stringify({ email: emailOf(index), password }));
  const post = { method: "POST", connections: 8, bodies } as const;
  return withServers(seeded, file, {}, async (own, other) => [
    await compareRates(
      bench,
      { what: "login", againstWhat },
      {
        tollgate: ({ seconds }) => load({ url: `${own}/auth/login`, seconds, ...post }),
        other: ({ seconds }) => load({ url: `${other}/api/auth/sign-in/email`, seconds, ...post }),
      },
    ),
  ]);
}

async function compareRefresh(bench: Bench, seeded: Seeded, { file, cookies }: Peer): Promise<readonly Row[]> {
  const unused = [...seeded.refreshTokens];
  return withServers(seeded, file, { UPDATE_AGE: "0" }, async (own, other) => [
    await compareRates(
      bench,
      { what: "refresh", againstWhat },
      {
        // A measurement that ends has requests under way, whose answers are lost: each has sessions of its own.
        tollgate: ({ seconds }) => {
          const refreshTokens = unused.splice(0, refreshers + 1);
          const url = `${own}/auth/refresh`;
          return load({ url, method: "POST", connections: refreshers, seconds, refreshTokens });
        },
        other: ({ seconds }) =>
          load({ url: `${other}/api/auth/get-session`, connections: refreshers, seconds, cookies }),
      },
    ),
  ]);
}

async function compareRates(
  bench: Bench,
  row: Pick<Row, "what" | "againstWhat" | "atLeast">,
  sides: Readonly<Record<"tollgate" | "other", (bench: Bench) => Promise<Sample>>>,
): Promise<Row> {
  bench.say(`${row.what}: ${bench.rounds} times ${bench.seconds} s each, after one to warm up`);
  const { tollgate, other } = await interleaved(bench.rounds, {
    tollgate: () => sides.tollgate(bench),
    other: () => sides.other(bench),
  });
  return rateRow(tollgate, other, row);
}

async function compareStart({ say, rounds }: Bench, seeded: Seeded, file: string): Promise<readonly Row[]> {
  const starts = { tollgate: [], against: [] } as Record<
    "tollgate" | "against",
    Awaited<ReturnType<typeof measureStart>>[]
  >;
  for (let round = 1; round <= rounds; round += 1) {
    say(`start ${round} of ${rounds}`);
    starts.tollgate.push(await measureStart(await startOwn(seeded, {})));
    starts.against.push(await measureStart(await startOther(file, {})));
  }
  return [
    { what: "start to first answer", unit: "ms", of: "milliseconds" as const },
    { what: "idle memory", unit: "MiB", of: "mebibytes" as const },
  ].map(({ of, ...row }) => {
    const tollgate = median(starts.tollgate.map((one) => one[of]));
    const against = median(starts.against.map((one) => one[of]));
    return { ...row, tollgate, against, againstWhat, ratio: tollgate / against };
  });
}
