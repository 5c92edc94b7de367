import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";

export type Exercise = {
  /** The folder's name, as `09-route-order`. */
  readonly id: string;
  /** As `09`. */
  readonly number: string;
  readonly title: string;
  /** The task, Markdown without its heading. */
  readonly task: string;
  readonly hints: readonly string[];
  /** The file to mend, and where else its text is. */
  readonly file: string;
  readonly test: string;
  readonly startingPoint: string;
  readonly solution: string;
};

/** Every exercise below `learn`, in order. */
export function readExercises(learn: string): readonly Exercise[] {
  return readdirSync(join(learn, "exercises"))
    .filter((id) => /^[0-9]{2}-/.test(id))
    .sort()
    .map((id) => readExercise(learn, id));
}

function readExercise(learn: string, id: string): Exercise {
  const folder = join(learn, "exercises", id);
  const [test = ""] = readdirSync(folder).filter((name) => name.endsWith(".test.ts"));
  const name = test.replace(/\.test\.ts$/, ".ts");
  const [heading = "", ...task] = readFileSync(join(folder, "README.md"), "utf8").split("\n");
  return {
    id,
    number: id.slice(0, 2),
    title: heading.replace(/^# [0-9]{2} /, ""),
    task: task.join("\n").trim(),
    hints: readHints(readFileSync(join(folder, "hints.md"), "utf8")),
    file: join(folder, name),
    test: join(folder, test),
    startingPoint: join(learn, "starting-points", id, name),
    solution: join(learn, "solutions", id, name),
  };
}

function readHints(text: string): string[] {
  return text
    .split(/^## .*$/m)
    .map((hint) => hint.trim())
    .filter((hint) => hint !== "");
}

/** The exercise that a person means by `3`, `03`, `03-stored-passwords` or `stored-passwords`. */
export function findExercise(exercises: readonly Exercise[], text: string): Exercise | undefined {
  const number = /^[0-9]{1,2}$/.test(text) ? text.padStart(2, "0") : undefined;
  return exercises.find(({ id, number: own }) => own === number || id === text || id.slice(3) === text);
}

/** A path as a person types it, from where they are. */
export function shownPath(path: string): string {
  const shown = relative(process.cwd(), path);
  return shown.startsWith("..") ? path : shown;
}

/** Why the exercise cannot be tried, in a sentence; `undefined` when it can. */
export function missingFile({ file, number }: Exercise): string | undefined {
  return existsSync(file)
    ? undefined
    : `${shownPath(file)} is not there. "npm run learn -- reset ${number}" brings it back.`;
}
