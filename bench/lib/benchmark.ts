import type { Result } from "./report.ts";

export type Bench = {
  /** Says what is being done now. */
  readonly say: (what: string) => void;
  /** How long each measurement takes, and how many of them there are. */
  readonly seconds: number;
  readonly rounds: number;
  /** Of one that is long. */
  readonly minutes: number;
};

export type Benchmark = {
  readonly name: string;
  readonly about: string;
  /** Only runs when it is named. */
  readonly isLong?: true;
  readonly run: (bench: Bench) => Promise<Result>;
};
