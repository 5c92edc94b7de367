/**
 * The enumeration self-test: nothing a stranger sees tells whether an account exists.
 * `npm run proof:enumeration -- --url http://localhost:8000`
 */
import { Command } from "commander";
import { proveNoEnumeration } from "./enumeration-run.ts";
import { createProgress } from "./progress.ts";

const program = new Command("proof:enumeration")
  .description("Compares what known and unknown accounts answer: status, headers, body, size and time.")
  .requiredOption(
    "--url <url>",
    "a Tollgate whose LIMIT_… are off; in development all flows, in production those of strangers",
  )
  .option("--samples <count>", "requests for each kind", "2000");
program.parse();
const { url, samples } = program.opts<{ readonly url: string; readonly samples: string }>();

const write = (text: string): void => void process.stdout.write(text);
let show: (done: number) => void = () => undefined;
const onSample = (flow: string, done: number): void => {
  if (done === 1) {
    write(`${flow}\n`);
    show = createProgress(Number(samples), write, process.stdout.isTTY);
  }
  show(done);
};
try {
  const results = await proveNoEnumeration({ url, samples: Number(samples), meanDifferenceMilliseconds: 1, onSample });
  for (const { flow, tellsApart, time, isTimeTelling } of results) {
    const { meanDifference, t, tProbability, distance, distanceProbability } = time;
    console.log(
      `${flow}: mean difference ${meanDifference.toFixed(3)} ms, Welch t ${t.toFixed(2)} (p ${tProbability.toFixed(3)}), Kolmogorov–Smirnov ${distance.toFixed(3)} (p ${distanceProbability.toFixed(3)})`,
    );
    for (const shape of tellsApart) console.log(`  only one kind answers: ${shape}`);
    if (isTimeTelling) console.log("  the times tell the two apart");
    console.log(tellsApart.length === 0 && !isTimeTelling ? "  pass" : "  FAIL");
  }
  process.exitCode = results.every(({ tellsApart, isTimeTelling }) => tellsApart.length === 0 && !isTimeTelling)
    ? 0
    : 1;
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
