import { once } from "node:events";
import { unwatchFile, watchFile } from "node:fs";
import { checkExercise } from "./check.ts";
import { type Exercise, readExercises } from "./exercises.ts";
import { changeProgress, markDone, readProgress } from "./progress.ts";
import {
  showAllDone,
  showGoodbye,
  showList,
  showResult,
  showStep,
  showTask,
  showWaiting,
  showWelcome,
} from "./screens.ts";
import type { Terminal } from "./terminal.ts";

const lookEveryMilliseconds = 150;

/** Goes from one open exercise to the next, running its test at each save, until all are done or somebody stops it. */
export async function watchExercises(learn: string, terminal: Terminal, stop: AbortSignal): Promise<void> {
  const exercises = readExercises(learn);
  const { isWelcomed } = readProgress(learn);
  if (!isWelcomed) {
    showWelcome(terminal);
    changeProgress(learn, () => ({ isWelcomed: true }));
  }
  showList(terminal, exercises, readProgress(learn));
  terminal.write("\n");
  while (!stop.aborted) {
    const { done } = readProgress(learn);
    const exercise = exercises.find(({ id }) => !done.has(id));
    if (exercise === undefined) {
      showAllDone(terminal);
      return;
    }
    showTask(terminal, exercise);
    const isDone = await untilDone(exercise, terminal, stop);
    if (isDone) showStep(terminal, exercise, exercises, markDone(learn, exercise.id));
  }
  showGoodbye(terminal, exercises, readProgress(learn));
}

/** Returns whether it was done, not stopped. */
async function untilDone(exercise: Exercise, terminal: Terminal, stop: AbortSignal): Promise<boolean> {
  const saves = watchSaves(exercise.file);
  try {
    while (!stop.aborted) {
      // Taken before the check, so that a save during it ends it instead of being missed.
      const next = AbortSignal.any([stop, saves.next()]);
      const result = await checkExercise(exercise, { stop: next });
      if (result.outcome === "stopped") continue;
      showResult(terminal, exercise, result);
      if (result.outcome === "passed") return true;
      showWaiting(terminal, exercise);
      if (!next.aborted) await once(next, "abort");
      if (!stop.aborted) clear(terminal);
    }
    return false;
  } finally {
    saves.close();
  }
}

function clear(terminal: Terminal): void {
  terminal.write(terminal.isScreen ? "\u001B[2J\u001B[H" : `\n${"-".repeat(terminal.width())}\n`);
}

/**
 * Looks at the file again and again rather than asking the system to tell: that also works in shared folders and
 * containers, and with editors that write a new file and rename it.
 */
function watchSaves(file: string): { readonly next: () => AbortSignal; readonly close: () => void } {
  let controller = new AbortController();
  const onChange = (): void => {
    const changed = controller;
    controller = new AbortController();
    changed.abort();
  };
  watchFile(file, { interval: lookEveryMilliseconds }, onChange);
  return { next: () => controller.signal, close: () => unwatchFile(file, onChange) };
}
