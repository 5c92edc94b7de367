/** `npm run learn`: the exercises, one after the other. */
import { copyFileSync, existsSync, mkdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { Command, CommanderError } from "commander";
import { checkExercise } from "./runner/check.ts";
import { type Exercise, findExercise, readExercises } from "./runner/exercises.ts";
import { changeProgress, forget, markDone, progressFolder, readProgress } from "./runner/progress.ts";
import { showHint, showList, showReset, showResult, showSolution } from "./runner/screens.ts";
import { createTerminal, wrap } from "./runner/terminal.ts";
import { watchExercises } from "./runner/watch.ts";

const learn = import.meta.dirname;
const terminal = createTerminal(process.stdout);
const exercises = readExercises(learn);

const program = new Command("npm run learn --")
  .description("Small files with a fault: mend one, save it, and hear what is still wrong.")
  .helpOption("-h, --help", "show this help")
  .helpCommand(false)
  .exitOverride()
  .action(watch);
program.command("list").description("show every exercise, done or open").action(list);
program
  .command("hint [exercise]")
  .description("give the next hint of the current exercise, or of this one")
  .action(hint);
program.command("run <exercise>").description("run its test once; exits with 0 if it passes, else with 1").action(run);
program.command("reset <exercise>").description("put its file back to the beginning").action(reset);
program.command("solution <exercise>").description("show a solution").action(solution);

try {
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof CommanderError)) throw error;
  // Commander has written its own sentence.
  process.exitCode = error.exitCode === 0 ? 0 : 2;
}

async function watch(): Promise<void> {
  const stop = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => stop.abort());
  await watchExercises(learn, terminal, stop.signal);
}

function list(): void {
  showList(terminal, exercises, readProgress(learn));
}

async function run(text: string): Promise<void> {
  const exercise = named(text);
  const result = await checkExercise(exercise);
  showResult(terminal, exercise, result);
  if (result.outcome === "passed") markDone(learn, exercise.id);
  else process.exitCode = 1;
}

function hint(text: string | undefined): void {
  const { done, hintsShown } = readProgress(learn);
  const exercise = text === undefined ? exercises.find(({ id }) => !done.has(id)) : named(text);
  if (exercise === undefined) {
    terminal.write('All exercises are done. For a hint of one of them name it: "npm run learn -- hint 7".\n');
    return;
  }
  const index = Math.min(hintsShown.get(exercise.id) ?? 0, exercise.hints.length - 1);
  showHint(terminal, exercise, index);
  changeProgress(learn, (before) => ({ hintsShown: new Map([...before.hintsShown, [exercise.id, index + 1]]) }));
}

/** What the learner has written is kept aside: a reset by mistake loses nothing. */
function reset(text: string): void {
  const exercise = named(text);
  let keptAt: string | undefined;
  if (existsSync(exercise.file) && !isSame(exercise.file, exercise.startingPoint)) {
    const folder = join(progressFolder(learn), "before-reset", exercise.id);
    mkdirSync(folder, { recursive: true });
    keptAt = join(folder, basename(exercise.file));
    copyFileSync(exercise.file, keptAt);
  }
  copyFileSync(exercise.startingPoint, exercise.file);
  forget(learn, exercise.id);
  showReset(terminal, exercise, keptAt);
}

function isSame(one: string, other: string): boolean {
  return readFileSync(one).equals(readFileSync(other));
}

function solution(text: string): void {
  const exercise = named(text);
  showSolution(terminal, exercise, readFileSync(exercise.solution, "utf8"));
}

function named(text: string): Exercise {
  const exercise = findExercise(exercises, text);
  if (exercise !== undefined) return exercise;
  const sentence = `There is no exercise ${text}: take a number from 1 to ${exercises.length}. "npm run learn -- list" shows them.`;
  process.stderr.write(`${wrap(sentence, terminal.width())}\n`);
  throw new CommanderError(2, "learn.unknownExercise", sentence);
}
