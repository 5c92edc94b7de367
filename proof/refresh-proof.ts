/**
 * The refresh proof: no honest client is ever signed out, no thief ever missed.
 * `npm run proof:refresh` starts a server of its own and kills it now and then; `--url` proves any other Tollgate.
 */
import { Command } from "commander";
import { startOwnServer } from "./own-server.ts";
import { createProgress } from "./progress.ts";
import { ProofImpossible } from "./refresh-client.ts";
import { type ProofResult, proveRefresh } from "./refresh-run.ts";

type Options = {
  readonly url?: string;
  readonly rounds: string;
  readonly seed: string;
  readonly lanes: string;
  readonly overlap?: string;
  readonly database?: string;
};

const program = new Command("proof:refresh")
  .description("Plays lost answers, crashes, tabs, slow clocks and thieves against a Tollgate.")
  .option("--url <url>", "a Tollgate with its limits off; left out, one is started here, and crashed now and then")
  .option("--rounds <count>", "how many rounds", "10000")
  .option("--seed <number>", "the order of the rounds", String(Date.now() % 1_000_000))
  .option("--lanes <count>", "how many at a time", "64")
  .option("--database <url>", "an empty PostgreSQL database for the server that is started here")
  .option("--overlap <seconds>", "REFRESH_OVERLAP of that server (its default, 10, with --url; else 6)");
program.parse();
const options = program.opts<Options>();
const overlapSeconds = wholeNumber("--overlap", options.overlap ?? (options.url === undefined ? "6" : "10"));
const rounds = wholeNumber("--rounds", options.rounds);
const seed = wholeNumber("--seed", options.seed);

console.log(`seed ${seed}`);
const own =
  options.url === undefined
    ? await startOwnServer({
        REFRESH_OVERLAP: `${overlapSeconds}s`,
        ARGON2_MEMORY_KIB: "8",
        ARGON2_PASSES: "1",
        HASH_QUEUE: "500",
        ...(options.database === undefined ? {} : { DATABASE_URL: options.database }),
      })
    : undefined;
try {
  report(
    await proveRefresh({
      url: own?.url ?? options.url ?? "",
      rounds,
      seed,
      lanes: Math.min(256, wholeNumber("--lanes", options.lanes)),
      overlapMilliseconds: overlapSeconds * 1000,
      ...(own ? { crash: own.crash, crashEveryRounds: Math.max(200, Math.floor(rounds / 20)) } : {}),
      onRound: createProgress(rounds, (text) => process.stdout.write(text), process.stdout.isTTY),
    }),
  );
} catch (error) {
  if (!(error instanceof ProofImpossible)) throw error;
  console.error(error.message);
  process.exitCode = 1;
} finally {
  await own?.stop();
}
// The other lanes are still waiting for their next round.
process.exit();

function report({ rounds: counts, crashes, setAside, honestSignOuts, theftsMissed }: ProofResult): void {
  console.table(counts);
  console.log(`crashes: ${crashes}`);
  if (setAside > 0) console.log(`set aside, because the two parties came more than the overlap apart: ${setAside}`);
  console.log(`honest sign-outs: ${honestSignOuts.length}`);
  console.log(`thefts missed: ${theftsMissed.length}`);
  const stories = [...honestSignOuts, ...theftsMissed];
  for (const story of stories.slice(0, 20)) console.log(story);
  if (stories.length === 0) return;
  console.log(`play it again with --seed ${seed} --rounds ${rounds}`);
  process.exitCode = 1;
}

function wholeNumber(option: string, text: string): number {
  if (!/^\d{1,9}$/.test(text)) program.error(`${option} must be a whole number, not "${text}"`);
  return Number(text);
}
