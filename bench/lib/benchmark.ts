import type { Result } from "./report.ts";

export type Bench = {
  /** Says what is being done now. */
  readonly say: (what: string) => void;
  /** How long each measurement takes, and how many of them there are. */
  readonly seconds: number;
  readonly rounds: number;
};

export type Benchmark = {
  readonly name: string;
  readonly about: string;
  readonly run: (bench: Bench) => Promise<Result>;
};
