import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { setTimeout as pause } from "node:timers/promises";
import type { Bench, Benchmark } from "../lib/benchmark.ts";
import { interleaved, median } from "../lib/compare.ts";
import { hashingNiceness, hashingSeconds, processSeconds } from "../lib/cpu-time.ts";
import { load, type Sample } from "../lib/load.ts";
import { cores, pinned } from "../lib/machine.ts";
import type { Row } from "../lib/report.ts";
import { emailOf, password, seed, type Seeded } from "../lib/seed.ts";
import { fileOf, startTollgate, type RunningServer } from "../lib/servers.ts";

const port = 8516;
const users = 10_000;
const clients = 500;
/** They keep a core busy. More would mostly wait for each other, with the flood and without. */
const connections = 16;
const pauseMilliseconds = 1_000;
/** `me` runs by then, and sees all of the flood. */
const floodAfterMilliseconds = 300;
/** What a server has that runs on one core. */
const hashThreads = 1;
const refusedWithinMilliseconds = 100;

export const flood: Benchmark = {
  name: "flood",
  about: `GET /users/me while ${clients} clients sign in, against the same beside busy loops instead of the flood`,
  run: async ({ say, ...bench }) => {
    const seeded = await seed(users, (made) => say(`${made} of ${users} accounts`));
    try {
      say("the queue of hashes refuses");
      const queue = await measure(bench, seeded, { refusals: 503, env: {} });
      say("the limit refuses");
      const limit = await measure(bench, seeded, {
        refusals: 429,
        env: { LIMIT_LOGIN_ADDRESS: "", LIMIT_LOGIN_ACCOUNT: "" },
      });
      return {
        rows: [...queue.rows, ...limit.rows],
        notes: [
          `Half of the clients have a wrong password. Each waits for about a second after each answer; all begin at once.`,
          `The server has a core and ${hashThreads} hash thread (nice ${hashingNiceness}). Beside it, for the comparison: as many endless loops of the shell on the same core, as nice.`,
          ...queue.notes,
          ...limit.notes,
        ],
      };
    } finally {
      seeded.remove();
    }
  },
};

type Variant = { readonly refusals: 429 | 503; readonly env: Readonly<Record<string, string>> };

async function measure(
  { seconds, rounds }: Omit<Bench, "say">,
  seeded: Seeded,
  { refusals, env }: Variant,
): Promise<{ readonly rows: readonly Row[]; readonly notes: readonly string[] }> {
  const tollgate = await startTollgate(seeded.databaseUrl, { port, core: cores.server, env });
  const tokens = seeded.accessTokens.slice(0, 1_000);
  const me = () => load({ url: `${tollgate.url}/users/me`, connections, seconds, tokens });
  const floods: Flooded[] = [];
  const shares = { hashes: [] as number[], loops: [] as number[] };
  try {
    const { a, b } = await interleaved(rounds, {
      a: () => besideFlood(tollgate, me, floods, shares.hashes),
      b: () => besideLoops(me, shares.loops, seconds),
    });
    const counted = floods.slice(1);
    const statuses = new Set(counted.flatMap(({ answers }) => Object.keys(answers)));
    const sums = [...statuses].map(
      (status) => `${counted.reduce((sum, { answers }) => sum + (answers[status] ?? 0), 0)} × ${status}`,
    );
    const after = median(counted.map(({ refused }) => refused.p99Milliseconds));
    const what = refusals === 503 ? "queue full" : "over the limit";
    return {
      rows: [
        {
          what: `${what}: me, p99`,
          unit: "ms",
          tollgate: a.p99Milliseconds,
          against: b.p99Milliseconds,
          againstWhat: "beside busy loops",
          ratio: a.p99Milliseconds / b.p99Milliseconds,
          atMost: 2,
        },
        {
          what: `${what}: me`,
          unit: "per second",
          tollgate: a.perSecond,
          against: b.perSecond,
          againstWhat: "beside busy loops",
          ratio: a.perSecond / b.perSecond,
        },
        {
          what: `${what}: ${refusals} after, p99`,
          unit: "ms",
          tollgate: after,
          against: refusedWithinMilliseconds,
          againstWhat: "the most allowed",
          ratio: after / refusedWithinMilliseconds,
          atMost: 1,
        },
      ],
      notes: [
        `${what}: ${sums.join(", ")}. The hash thread had ${percent(median(shares.hashes))} of the core, the loop ${percent(median(shares.loops))}.`,
      ],
    };
  } finally {
    await tollgate.stop();
  }
}

function percent(share: number): string {
  return `${Math.round(100 * share)} %`;
}

type Flooded = {
  readonly answers: Readonly<Record<string, number>>;
  readonly refused: { readonly count: number; readonly p50Milliseconds: number; readonly p99Milliseconds: number };
};

async function besideFlood(
  tollgate: RunningServer,
  me: () => Promise<Sample>,
  floods: Flooded[],
  shares: number[],
): Promise<Sample> {
  const bodies = Array.from({ length: clients }, (_, index) =>
    JSON.stringify({ email: emailOf(index), password: index % 2 === 0 ? password : "another horse battery" }),
  );
  const file = fileOf({ port, bodies, pauseMilliseconds });
  const [program, args] = pinned(cores.load, [process.execPath, `${import.meta.dirname}/../servers/flood.ts`, file]);
  const child = spawn(program, args, { stdio: ["pipe", "pipe", "inherit"] });
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  await lines.next();
  const underWay = me();
  await pause(floodAfterMilliseconds);
  child.stdin.write("go");
  const [before, startedAt] = [hashingSeconds(tollgate.pid).hashing, performance.now()];
  const sample = await underWay;
  shares.push((hashingSeconds(tollgate.pid).hashing - before) / ((performance.now() - startedAt) / 1000));
  child.stdin.end();
  floods.push(JSON.parse((await lines.next()).value ?? "") as Flooded);
  return sample;
}

async function besideLoops(me: () => Promise<Sample>, shares: number[], seconds: number): Promise<Sample> {
  const loop = ["nice", "-n", String(hashingNiceness), "sh", "-c", "while :; do :; done"];
  const [program, args] = pinned(cores.server, loop);
  const loops: ChildProcess[] = Array.from({ length: hashThreads }, () => spawn(program, args, { stdio: "ignore" }));
  try {
    const sample = await me();
    shares.push(loops.reduce((sum, { pid = 0 }) => sum + processSeconds(pid), 0) / seconds);
    return sample;
  } finally {
    for (const child of loops) child.kill("SIGKILL");
  }
}
