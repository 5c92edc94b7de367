import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { type Exercise, missingFile } from "./exercises.ts";
import { endOfReports, type TestReport } from "./words-reporter.ts";

export type TestLine = { readonly name: string; readonly passed: boolean };

export type CheckResult =
  /** `printed` is what the learner's own code wrote, to look into it. */
  | { readonly outcome: "passed"; readonly tests: readonly TestLine[]; readonly printed: string }
  /** The first test that failed, in words. */
  | {
      readonly outcome: "failed";
      readonly tests: readonly TestLine[];
      readonly complaint: string;
      readonly printed: string;
    }
  /** The tests did not come to their end: the file is missing, is no TypeScript, throws when loaded, or exits. */
  | { readonly outcome: "unreadable"; readonly complaint: string }
  /** Somebody did not want to know any more. */
  | { readonly outcome: "stopped" };

const reporter = new URL("words-reporter.ts", import.meta.url).href;
const testMillisecondsMax = 5_000;
const checkMillisecondsMax = 15_000;
const outputCharactersMax = 4_000;

export type CheckOptions = {
  /** Ends the check: its outcome is then `stopped`. */
  readonly stop?: AbortSignal;
  readonly millisecondsMax?: number;
};

/** Runs the exercise's own test in a process of its own, and says in words what it found. */
export async function checkExercise(
  exercise: Exercise,
  { stop, millisecondsMax = checkMillisecondsMax }: CheckOptions = {},
): Promise<CheckResult> {
  const missing = missingFile(exercise);
  if (missing !== undefined) return { outcome: "unreadable", complaint: missing };
  const directory = mkdtempSync(join(tmpdir(), "tollgate-learn-"));
  try {
    const seen = await runTest(exercise, join(directory, "reports"), millisecondsMax, stop);
    return stop?.aborted ? { outcome: "stopped" } : judge(exercise, seen, millisecondsMax);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

type Seen = {
  readonly reports: readonly TestReport[];
  /** Whether the tests were gone through to their end. */
  readonly isWhole: boolean;
  readonly isLate: boolean;
  readonly printed: string;
  readonly errorText: string;
};

async function runTest(
  { test }: Exercise,
  file: string,
  millisecondsMax: number,
  stop: AbortSignal | undefined,
): Promise<Seen> {
  const options = [`--test-timeout=${testMillisecondsMax}`, `--test-reporter=${reporter}`];
  const child = spawn(process.execPath, [...options, `--test-reporter-destination=${file}`, test], {
    stdio: ["ignore", "pipe", "pipe"],
    // Without the mark of a runner around us, to which Node.js would report instead.
    env: { ...process.env, NODE_TEST_CONTEXT: undefined, FORCE_COLOR: undefined, NO_COLOR: "1" },
  });
  const [printed, errorText] = [collect(child.stdout), collect(child.stderr)];
  let isLate = false;
  const kill = (): void => void child.kill("SIGKILL");
  const timer = setTimeout(() => {
    isLate = true;
    kill();
  }, millisecondsMax);
  stop?.addEventListener("abort", kill);
  if (stop?.aborted) kill();
  await once(child, "close");
  clearTimeout(timer);
  stop?.removeEventListener("abort", kill);
  // The last line may be cut off, if the process was ended while it wrote.
  const lines = existsSync(file) ? readFileSync(file, "utf8").split("\n").slice(0, -1) : [];
  const isWhole = lines.at(-1) === endOfReports;
  const reports = lines.filter((line) => line !== endOfReports).map((line) => JSON.parse(line) as TestReport);
  return { reports, isWhole, isLate, printed: printed(), errorText: errorText() };
}

/** The beginning of what a stream says; the rest is read and forgotten, so that nobody waits. */
function collect(stream: NodeJS.ReadableStream): () => string {
  let text = "";
  stream.setEncoding("utf8").on("data", (more: string) => {
    if (text.length < outputCharactersMax) text = (text + more).slice(0, outputCharactersMax);
  });
  return () => text;
}

function judge(exercise: Exercise, seen: Seen, millisecondsMax: number): CheckResult {
  const { reports, isWhole, isLate, printed, errorText } = seen;
  const name = basename(exercise.file);
  const tests = reports.map((report) => ({ name: report.name, passed: report.passed }));
  if (isLate) {
    const complaint = `${name} did not end within ${millisecondsMax / 1000} seconds. Is there a loop without an end?`;
    return { outcome: "failed", tests, complaint, printed };
  }
  const failed = reports.find(({ passed }) => !passed);
  if (failed !== undefined) return { outcome: "failed", tests, complaint: complaintOf(exercise, failed), printed };
  if (isWhole && tests.length > 0) return { outcome: "passed", tests, printed };
  // Node.js says on standard error why it could not even begin.
  return { outcome: "unreadable", complaint: loadFault(errorText, name) };
}

function complaintOf({ file }: Exercise, { kind, message = "", stack = "" }: TestReport): string {
  const name = basename(file);
  if (kind === "assertion") return message;
  if (kind === "timeout") {
    return `It took more than ${testMillisecondsMax / 1000} seconds. Does ${name} wait for something that never comes?`;
  }
  const line = lineIn(file, stack);
  return `${name} threw an error${line === undefined ? "" : ` at line ${line}`}. ${message}`;
}

/** The line of the learner's file at which an error was thrown. */
function lineIn(file: string, stack: string): string | undefined {
  for (const place of [pathToFileURL(file).href, file]) {
    const at = stack.indexOf(`${place}:`);
    if (at !== -1) return /^\d+/.exec(stack.slice(at + place.length + 1))?.[0];
  }
  return undefined;
}

/** What Node.js wrote when a file could not be loaded, without its stack: the place, and the reason. */
function loadFault(errorText: string, name: string): string {
  const [, file = "", line = ""] = /^(file:\/\/\S+|\/\S+|[A-Z]:\S+):(\d+)$/m.exec(errorText) ?? [];
  const [, reason = ""] = /^(?:Uncaught )?(\w*Error\b.*)$/m.exec(errorText) ?? [];
  if (reason === "") return `${name} ended the process before its test was through. Does it call process.exit?`;
  const words = reason.replace(/^\w*Error(?: \[\w+\])?: /, "");
  const exported = /does not provide an export named '(\w+)'/.exec(words)?.[1];
  if (exported !== undefined) return `${name} no longer exports ${exported}, which its test needs.`;
  const where = file === "" ? name : `${basename(file.startsWith("file:") ? fileURLToPath(file) : file)}, line ${line}`;
  return `Node.js cannot load ${where}: ${words}`;
}
