import { setTimeout as pause } from "node:timers/promises";
import type { Benchmark } from "../lib/benchmark.ts";
import { median } from "../lib/compare.ts";
import { cores } from "../lib/machine.ts";
import { seed } from "../lib/seed.ts";
import { residentMebibytes, startScript, startTollgate, type RunningServer } from "../lib/servers.ts";

const idleSeconds = 5;

export type Started = { readonly milliseconds: number; readonly mebibytes: number };

export const start: Benchmark = {
  name: "start",
  about: "from the start of the process to its first answer, and memory when idle, against a bare Fastify",
  run: async ({ say, rounds }) => {
    const seeded = await seed(1_000, () => undefined);
    const [own, bare]: [Started[], Started[]] = [[], []];
    const startOwn = (): Promise<RunningServer> =>
      startTollgate(seeded.databaseUrl, { port: 8507, core: cores.server });
    const startBare = (): Promise<RunningServer> => startScript("bare-fastify.ts", { port: 8508, core: cores.server });
    try {
      // The first start of each compiles all that later ones find compiled.
      for (const start of [startOwn, startBare]) await (await start()).stop();
      for (let round = 1; round <= rounds; round += 1) {
        say(`start ${round} of ${rounds}`);
        own.push(await measureStart(await startOwn()));
        bare.push(await measureStart(await startBare()));
      }
    } finally {
      seeded.remove();
    }
    const of = (starts: readonly Started[], what: keyof Started): number => median(starts.map((one) => one[what]));
    const milliseconds = { tollgate: of(own, "milliseconds"), against: of(bare, "milliseconds") };
    const mebibytes = { tollgate: of(own, "mebibytes"), against: of(bare, "mebibytes") };
    const more = milliseconds.tollgate - milliseconds.against;
    const against = { againstWhat: "bare Fastify" };
    return {
      rows: [
        {
          what: "start",
          unit: "ms",
          ...milliseconds,
          ...against,
          ratio: milliseconds.tollgate / milliseconds.against,
        },
        {
          what: "memory",
          unit: "MiB",
          ...mebibytes,
          ...against,
          ratio: mebibytes.tollgate / mebibytes.against,
          atMost: 2,
        },
      ],
      notes: [
        `It starts ${Math.round(more)} ms later; at most 1000 are allowed: ${more <= 1000 ? "reached" : "MISSED"}.`,
      ],
    };
  },
};

/** How soon it answered, and its memory a while after that. Stops it. */
export async function measureStart(server: RunningServer): Promise<Started> {
  await pause(idleSeconds * 1000);
  const mebibytes = residentMebibytes(server.pid);
  await server.stop();
  return { milliseconds: server.startMilliseconds, mebibytes };
}
