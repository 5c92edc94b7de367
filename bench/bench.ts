/**
 * How fast is it, compared with what? `npm run bench` runs everything, `npm run bench -- me` one benchmark.
 * Two servers at a time, each on a core of its own beside the load, in turn: A B A B. Only ratios mean something; the
 * figures are this machine's.
 */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { Argument, Command } from "commander";
import { flood } from "./benchmarks/flood.ts";
import { limit } from "./benchmarks/limit.ts";
import { login } from "./benchmarks/login.ts";
import { me, meCold } from "./benchmarks/me.ts";
import { mePostgres } from "./benchmarks/me-postgres.ts";
import { peers } from "./benchmarks/peers.ts";
import { refresh } from "./benchmarks/refresh.ts";
import { scale } from "./benchmarks/scale.ts";
import { slowDisk } from "./benchmarks/slow-disk.ts";
import { soak } from "./benchmarks/soak.ts";
import { start } from "./benchmarks/start.ts";
import { workers } from "./benchmarks/workers.ts";
import type { Benchmark } from "./lib/benchmark.ts";
import { isReached, report } from "./lib/report.ts";

const benchmarks: readonly Benchmark[] = [
  me,
  meCold,
  mePostgres,
  login,
  flood,
  refresh,
  slowDisk,
  limit,
  peers,
  scale,
  start,
  workers,
  soak,
];
const names = benchmarks.map(({ name }) => name);
const short = benchmarks.filter(({ isLong }) => !isLong).map(({ name }) => name);

const program = new Command("bench")
  .description(
    `Measures, side by side:\n${benchmarks.map(({ name, about }) => `  ${name.padEnd(8)} ${about}`).join("\n")}`,
  )
  .addArgument(new Argument("[names...]", "which; all but the long ones when left out").choices(names).default(short))
  .option("--seconds <count>", "of each measurement", "5")
  .option("--rounds <count>", "how many measurements of each side; the median counts", "5")
  .option("--minutes <count>", "of a long one", "30");
program.parse();
const { seconds, rounds, minutes } = program.opts<Readonly<Record<"seconds" | "rounds" | "minutes", string>>>();
const chosen = new Set(program.processedArgs[0] as readonly string[]);

if (!existsSync(new URL("node_modules", import.meta.url))) {
  spawnSync("npm", ["ci", "--ignore-scripts"], { cwd: import.meta.dirname, stdio: "inherit" });
}
let areAllReached = true;
for (const { name, run } of benchmarks.filter((one) => chosen.has(one.name))) {
  const say = (what: string): void =>
    void process.stderr.write(process.stderr.isTTY ? `\r\u001B[K${name}: ${what}` : "");
  const result = await run({ say, seconds: Number(seconds), rounds: Number(rounds), minutes: Number(minutes) });
  if (process.stderr.isTTY) process.stderr.write("\r\u001B[K");
  console.log(report(name, result));
  areAllReached &&= result.rows.every((row) => isReached(row));
}
process.exitCode = areAllReached ? 0 : 1;
