import { spawn } from "node:child_process";
import { text } from "node:stream/consumers";
import type { Bench, Benchmark } from "../lib/benchmark.ts";
import { interleaved, rateAlone, rateRow } from "../lib/compare.ts";
import { cores, pinned } from "../lib/machine.ts";
import { startRedis } from "../lib/redis.ts";
import type { Row } from "../lib/report.ts";

const keys = 5_000;

const limiters = ["tollgate", "rate-limiter-flexible", "@fastify/rate-limit"] as const;
const peers = limiters.slice(1);

type Store = { readonly store: "in memory" | "Redis"; readonly redisUrl?: string };

/** Many calls are under way at once, as requests are; in memory each is answered before the next. */
const callersOf = { "in memory": 16, Redis: 256 } as const;

/** All pass, and places free themselves all the time; or nearly all are refused: the tutorial's limit, attacked. */
const kinds = [
  { kind: "accepted", quota: 10_000, windowSeconds: 1 },
  { kind: "refused", quota: 5, windowSeconds: 60 },
] as const;

const border = { quota: 100, windowSeconds: 1 };

export const limit: Benchmark = {
  name: "limit",
  about: "decisions about 5,000 keys, in memory and in Redis, against rate-limiter-flexible and @fastify/rate-limit",
  run: async (bench) => {
    const redis = await startRedis(8509);
    try {
      const rows: Row[] = [];
      const notes: string[] = [];
      for (const where of [{ store: "in memory" }, { store: "Redis", redisUrl: redis.url }] as const) {
        rows.push(...(await compareIn(where, bench)));
        notes.push(await exactnessIn(where, bench));
      }
      return {
        rows,
        notes: [
          ...notes,
          "Tollgate counts in exact sliding windows and tells when a place is free; the others count in fixed windows.",
          "Each is asked by its own function: the port's take, consume, and what createRateLimit of the plugin makes.",
          "In Redis, Tollgate writes up to 16 questions at once; the others use ioredis with its own defaults.",
        ],
      };
    } finally {
      await redis.stop();
    }
  },
};

async function compareIn(where: Store, { say, seconds, rounds }: Bench): Promise<readonly Row[]> {
  const rows: Row[] = [];
  for (const { kind, ...quota } of kinds) {
    say(`${where.store}, ${kind}: ${rounds} times ${seconds / 2} s each, after one to warm up`);
    const ask = (name: string) => async () => {
      const options = { name, ...where, ...quota, keys, callers: callersOf[where.store], seconds: seconds / 2 };
      const { perSecond, acceptedShare } = await runLimiter("limiter-calls.js", options);
      const isAsMeant = kind === "accepted" ? acceptedShare === 1 : (acceptedShare ?? 1) < 0.5;
      if (!perSecond || !isAsMeant) throw new Error(`${name} accepted ${acceptedShare} of what was to be ${kind}.`);
      return rateAlone(perSecond);
    };
    const samples = await interleaved(rounds, {
      tollgate: ask("tollgate"),
      "rate-limiter-flexible": ask("rate-limiter-flexible"),
      "@fastify/rate-limit": ask("@fastify/rate-limit"),
    });
    for (const peer of peers) {
      const row = { what: `${kind}, ${where.store}`, againstWhat: peer, atLeast: 1 };
      rows.push(rateRow(samples.tollgate, samples[peer], row));
    }
  }
  return rows;
}

async function exactnessIn(where: Store, { say }: Bench): Promise<string> {
  say(`${where.store}: around the border of a window`);
  const told: string[] = [];
  for (const name of limiters) {
    const { acceptedMost } = await runLimiter("limiter-border.js", { name, ...where, ...border });
    told.push(`${name} ${acceptedMost}`);
  }
  return `${where.store}, ${border.quota} per second, asked around a border: most accepted within a second: ${told.join(", ")}.`;
}

async function runLimiter(script: string, options: object): Promise<Readonly<Record<string, number>>> {
  const file = `${import.meta.dirname}/../servers/${script}`;
  const [program, args] = pinned(cores.server, [process.execPath, file, JSON.stringify(options)]);
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "inherit"] });
  const output = await text(child.stdout);
  const said = /RESULT (\{.*\})/.exec(output)?.[1];
  if (said === undefined) throw new Error(`${script} ${JSON.stringify(options)} said nothing that can be read.`);
  return JSON.parse(said) as Record<string, number>;
}
