/**
 * How fast is it, compared with what? `npm run bench` runs everything, `npm run bench -- me` one benchmark.
 * Two servers at a time, each on a core of its own beside the load, in turn: A B A B. Only ratios mean something; the
 * figures are this machine's.
 */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { Argument, Command } from "commander";
import { limit } from "./benchmarks/limit.ts";
import { login } from "./benchmarks/login.ts";
import { me, meCold } from "./benchmarks/me.ts";
import { peers } from "./benchmarks/peers.ts";
import { refresh } from "./benchmarks/refresh.ts";
import { scale } from "./benchmarks/scale.ts";
import { start } from "./benchmarks/start.ts";
import { workers } from "./benchmarks/workers.ts";
import { isReached, report } from "./lib/report.ts";

const benchmarks = [me, meCold, login, refresh, workers, limit, peers, scale, start];
const names = benchmarks.map(({ name }) => name);

const program = new Command("bench")
  .description(
    `Measures, side by side:\n${benchmarks.map(({ name, about }) => `  ${name.padEnd(8)} ${about}`).join("\n")}`,
  )
  .addArgument(new Argument("[names...]", "which; all when left out").choices(names).default(names))
  .option("--seconds <count>", "of each measurement", "5")
  .option("--rounds <count>", "how many measurements of each side; the median counts", "5");
program.parse();
const { seconds, rounds } = program.opts<{ readonly seconds: string; readonly rounds: string }>();
const chosen = new Set(program.processedArgs[0] as readonly string[]);

if (!existsSync(new URL("node_modules", import.meta.url))) {
  spawnSync("npm", ["ci", "--ignore-scripts"], { cwd: import.meta.dirname, stdio: "inherit" });
}
let areAllReached = true;
for (const { name, run } of benchmarks.filter((one) => chosen.has(one.name))) {
  const say = (what: string): void =>
    void process.stderr.write(process.stderr.isTTY ? `\r\u001B[K${name}: ${what}` : "");
  const result = await run({ say, seconds: Number(seconds), rounds: Number(rounds) });
  if (process.stderr.isTTY) process.stderr.write("\r\u001B[K");
  console.log(report(name, result));
  areAllReached &&= result.rows.every((row) => isReached(row));
}
process.exitCode = areAllReached ? 0 : 1;
