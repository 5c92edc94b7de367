import { systemClock } from "../platform/clock.ts";
import type { Terminal } from "./terminal.ts";

export type ProgressLine = {
  /** Draws how far the work is, at most ten times a second; without a terminal a line for each tenth of the way. */
  readonly show: (doing: string, done: number, total: number) => void;
  /** Clears the line that was drawn. */
  readonly end: () => void;
};

const barWidth = 30;
const drawMilliseconds = 100;

/** On standard error, so that what a command answers stays alone. */
export function createProgress({ redraw, err }: Pick<Terminal, "redraw" | "err">): ProgressLine {
  const startedAt = systemClock.monotonicNow();
  let drawnAt = Number.NEGATIVE_INFINITY;
  let tenth = -1;
  return {
    show: (doing, done, total) => {
      const part = total === 0 ? 1 : done / total;
      const now = systemClock.monotonicNow();
      if (redraw === undefined) {
        if (Math.floor(part * 10) <= tenth) return;
        tenth = Math.floor(part * 10);
        err(`${Math.floor(part * 100)} %, ${doing}`);
        return;
      }
      if (now - drawnAt < drawMilliseconds && done < total) return;
      drawnAt = now;
      const bar = "#".repeat(Math.floor(part * barWidth)).padEnd(barWidth, ".");
      redraw(`[${bar}] ${String(Math.floor(part * 100)).padStart(3)} %${timeLeft(part, now - startedAt)}  ${doing}`);
    },
    end: () => redraw?.(""),
  };
}

function timeLeft(part: number, spentMilliseconds: number): string {
  if (part < 0.02 || spentMilliseconds < 1_000) return "";
  return `, ${Math.ceil((spentMilliseconds * (1 - part)) / part / 1_000)} s left`;
}
