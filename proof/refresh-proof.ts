/**
 * The refresh proof: no honest client is ever signed out, no thief ever missed.
 * `npm run proof:refresh` starts a server of its own and kills it now and then; `--url` proves any other Tollgate.
 */
import { Command } from "commander";
import { startOwnServer } from "./own-server.ts";
import { createProgress } from "./progress.ts";
import { proveRefresh } from "./refresh-run.ts";

type Options = {
  readonly url?: string;
  readonly rounds: string;
  readonly seed: string;
  readonly lanes: string;
  readonly overlap: string;
};

const program = new Command("proof:refresh")
  .description("Plays lost answers, crashes, tabs, slow clocks and thieves against a Tollgate.")
  .option("--url <url>", "a Tollgate with its limits off; left out, one is started here, and crashed now and then")
  .option("--rounds <count>", "how many rounds", "10000")
  .option("--seed <number>", "the order of the rounds", String(Date.now() % 1_000_000))
  .option("--lanes <count>", "how many at a time", "64")
  .option("--overlap <seconds>", "REFRESH_OVERLAP of that server", "6");
program.parse();
const options = program.opts<Options>();
const [rounds, seed, lanes] = [Number(options.rounds), Number(options.seed), Number(options.lanes)];

console.log(`seed ${seed}`);
const own =
  options.url === undefined
    ? await startOwnServer({
        REFRESH_OVERLAP: `${options.overlap}s`,
        ARGON2_MEMORY_KIB: "8",
        ARGON2_PASSES: "1",
        HASH_QUEUE: "500",
      })
    : undefined;
const result = await proveRefresh({
  url: own?.url ?? options.url ?? "",
  rounds,
  seed,
  lanes,
  overlapMilliseconds: Number(options.overlap) * 1000,
  ...(own ? { crash: own.crash, crashEveryRounds: Math.max(200, Math.floor(rounds / 20)) } : {}),
  onRound: createProgress(rounds, (text) => process.stdout.write(text), process.stdout.isTTY),
});
await own?.stop();

console.table(result.rounds);
console.log(`crashes: ${result.crashes}`);
console.log(`honest sign-outs: ${result.honestSignOuts.length}`);
console.log(`thefts missed: ${result.theftsMissed.length}`);
for (const story of [...result.honestSignOuts, ...result.theftsMissed].slice(0, 20)) console.log(story);
process.exitCode = result.honestSignOuts.length + result.theftsMissed.length === 0 ? 0 : 1;
