import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** What is remembered between two runs, in a folder that git ignores. */
export type Progress = {
  /** Ids of exercises that passed. */
  readonly done: ReadonlySet<string>;
  /** Id → how many hints were shown. */
  readonly hintsShown: ReadonlyMap<string, number>;
  /** Whether the welcome was shown. */
  readonly isWelcomed: boolean;
};

const nothing: Progress = { done: new Set(), hintsShown: new Map(), isWelcomed: false };

export function progressFolder(learn: string): string {
  return join(learn, ".progress");
}

/** A file that is missing or cannot be read is the same as no progress: nothing is lost but ticks. */
export function readProgress(learn: string): Progress {
  try {
    const text = readFileSync(join(progressFolder(learn), "progress.json"), "utf8");
    const { done, hintsShown, isWelcomed } = JSON.parse(text) as Record<keyof Progress, unknown>;
    const hints = Object.entries(typeof hintsShown === "object" && hintsShown !== null ? hintsShown : {});
    return {
      done: new Set(Array.isArray(done) ? done.map(String) : []),
      hintsShown: new Map(hints.map(([id, count]) => [id, Number(count) || 0])),
      isWelcomed: isWelcomed === true,
    };
  } catch {
    return nothing;
  }
}

/** Read anew, changed and written: a second terminal may have written meanwhile. */
export function changeProgress(learn: string, change: (before: Progress) => Partial<Progress>): Progress {
  const before = readProgress(learn);
  const after = { ...before, ...change(before) };
  const folder = progressFolder(learn);
  mkdirSync(folder, { recursive: true });
  const file = join(folder, "progress.json");
  const text = { ...after, done: [...after.done].sort(), hintsShown: Object.fromEntries(after.hintsShown) };
  // Renamed into place, so that no other terminal reads half of it.
  writeFileSync(`${file}.${process.pid}`, `${JSON.stringify(text, undefined, 2)}\n`);
  renameSync(`${file}.${process.pid}`, file);
  return after;
}

export function markDone(learn: string, id: string): Progress {
  return changeProgress(learn, ({ done }) => ({ done: new Set([...done, id]) }));
}

export function forget(learn: string, id: string): Progress {
  return changeProgress(learn, ({ done, hintsShown }) => ({
    done: new Set([...done].filter((one) => one !== id)),
    hintsShown: new Map([...hintsShown].filter(([one]) => one !== id)),
  }));
}
