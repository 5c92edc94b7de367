/** Every text that the runner shows. English only, in one file. */
import { stripVTControlCharacters } from "node:util";
import type { CheckResult, TestLine } from "./check.ts";
import { type Exercise, shownPath } from "./exercises.ts";
import type { Progress } from "./progress.ts";
import { type Terminal, plain, unbroken, wrap } from "./terminal.ts";

const printedLinesMax = 20;
const command = "npm run learn --";

export function showWelcome(terminal: Terminal): void {
  paragraphs(terminal, [
    terminal.paint("bold", "Welcome to Tollgate's exercises."),
    "Each one is a small file with a fault that real servers have had. You mend it in your editor; I run its test whenever you save, say in words what is still wrong, and go on when it is right.",
    "You need no server for it, only this terminal and an editor. The chapters in docs/learn tell the story around it.",
    `Stuck? In a second terminal "${unbroken(`${command} hint`)}" gives one hint after the other. Ctrl-C ends; what is done stays done.`,
  ]);
}

/** One line for each exercise, and the sum. */
export function showList(terminal: Terminal, exercises: readonly Exercise[], progress: Progress): void {
  const current = exercises.find(({ id }) => !progress.done.has(id));
  for (const exercise of exercises) {
    const isDone = progress.done.has(exercise.id);
    const state = isDone ? terminal.paint("green", "done") : "open";
    const isCurrent = exercise === current;
    // The state stands first, so that a narrow terminal cuts off the title and not the state.
    const line = `${exercise.number} ${exercise.title}`.slice(0, terminal.width() - 8);
    terminal.write(`${isCurrent ? ">" : " "} ${state}  ${isCurrent ? terminal.paint("bold", line) : line}\n`);
  }
  terminal.write(`\n${sum(exercises, progress)}\n`);
}

/** The task, when an exercise begins. */
export function showTask(terminal: Terminal, exercise: Exercise): void {
  paragraphs(terminal, [
    terminal.paint("bold", `${exercise.number} ${exercise.title}`),
    plain(exercise.task, terminal.width()),
  ]);
}

/** What the test found: each of its sentences, and the first that is not so yet in more words. */
export function showResult(terminal: Terminal, exercise: Exercise, result: CheckResult): void {
  if (result.outcome === "stopped") return;
  const texts = [terminal.paint("bold", `${exercise.number} ${exercise.title}`)];
  if (result.outcome !== "unreadable") texts.push(testLines(terminal, result.tests), printedLines(result.printed));
  if (result.outcome === "passed") texts.push(terminal.paint("green", "Done: every test passes."));
  else {
    const word = terminal.paint("red", result.outcome === "failed" ? "Not yet." : "It does not run.");
    texts.push(`${word}\n${wrap(result.complaint, terminal.width())}`);
  }
  paragraphs(
    terminal,
    texts.filter((text) => text !== ""),
  );
}

/** What the learner's own code wrote. */
function printedLines(printed: string): string {
  const lines = stripVTControlCharacters(printed).trimEnd().split("\n").slice(0, printedLinesMax);
  return printed.trim() === "" ? "" : ["Your code printed:", ...lines.map((line) => `  | ${line}`)].join("\n");
}

function testLines(terminal: Terminal, tests: readonly TestLine[]): string {
  const first = tests.findIndex(({ passed }) => !passed);
  const lines = tests.map(({ name, passed }, index) => {
    const state = passed ? terminal.paint("green", "right  ") : terminal.paint("yellow", "not yet");
    // The words stand behind the state, in a column of their own.
    const words = wrap(name, terminal.width(), " ".repeat(11)).slice(11);
    return `${index === first ? ">" : " "} ${state}  ${words}`;
  });
  return lines.join("\n");
}

/** What one can do while the runner waits for the next save. */
export function showWaiting(terminal: Terminal, exercise: Exercise): void {
  const file = shownPath(exercise.file);
  const rows = [
    ["Mend", `${file}, and save it: I look again`],
    ["Task", file.replace(/[^/\\]+$/, "README.md")],
    ["Hint", unbroken(`${command} hint`)],
    ["End", "Ctrl-C"],
  ];
  for (const [name = "", text = ""] of rows) {
    const words = wrap(text, terminal.width(), " ".repeat(6)).slice(6);
    terminal.write(`${terminal.paint("dim", name.padEnd(6) + words)}\n`);
  }
}

/** Between two exercises. */
export function showStep(
  terminal: Terminal,
  exercise: Exercise,
  exercises: readonly Exercise[],
  progress: Progress,
): void {
  paragraphs(terminal, [
    wrap(
      `${sum(exercises, progress)} Compare: "${unbroken(`${command} solution ${exercise.number}`)}".`,
      terminal.width(),
    ),
  ]);
}

export function showAllDone(terminal: Terminal): void {
  paragraphs(terminal, [
    terminal.paint("green", "All exercises are done."),
    "What you have mended here is what the gates of this server do at every request. The real ones are in src/; docs/learn/10-next-steps.md says where to go from here.",
  ]);
}

export function showHint(terminal: Terminal, exercise: Exercise, index: number): void {
  const { hints, number, title } = exercise;
  const isLast = index === hints.length - 1;
  paragraphs(terminal, [
    terminal.paint("bold", `${number} ${title}: hint ${index + 1} of ${hints.length}`),
    plain(hints[index] ?? "", terminal.width()),
    isLast
      ? wrap(`That was the last one. A solution: "${unbroken(`${command} solution ${number}`)}".`, terminal.width())
      : wrap(`The next one: "${unbroken(`${command} hint`)}".`, terminal.width()),
  ]);
}

export function showSolution(terminal: Terminal, exercise: Exercise, text: string): void {
  const wholeLines = text.trimEnd();
  terminal.write(`${terminal.paint("bold", `${exercise.number} ${exercise.title}: a solution`)}\n`);
  terminal.write(`${shownPath(exercise.solution)}\n\n${wholeLines}\n`);
}

export function showReset(terminal: Terminal, exercise: Exercise, keptAt: string | undefined): void {
  const kept = keptAt === undefined ? "" : ` What you had is in ${shownPath(keptAt)}.`;
  paragraphs(terminal, [
    wrap(`${exercise.number} ${exercise.title} is as it was at the beginning.${kept}`, terminal.width()),
  ]);
}

export function showGoodbye(terminal: Terminal, exercises: readonly Exercise[], progress: Progress): void {
  terminal.write(
    `\n${wrap(`${sum(exercises, progress)} "${unbroken("npm run learn")}" goes on from here.`, terminal.width())}\n`,
  );
}

function sum(exercises: readonly Exercise[], { done }: Progress): string {
  return `${exercises.filter(({ id }) => done.has(id)).length} of ${exercises.length} done.`;
}

/** Texts with an empty line between them; those of one line are wrapped. */
function paragraphs(terminal: Terminal, texts: readonly string[]): void {
  const lines = texts.map((text) => (text.includes("\n") ? text : wrap(text, terminal.width())));
  terminal.write(`${lines.join("\n\n")}\n\n`);
}
