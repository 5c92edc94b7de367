import type { Parsed } from "./setting-parsers.ts";

export const modes = ["development", "production"] as const;
export type Mode = (typeof modes)[number];

/** What a default or a bound may hang on: the settings above it in the table, and the machine. */
export type Known = {
  readonly mode: Mode;
  readonly cores: number;
  readonly port: number;
  readonly scheme: "http" | "https";
  /** Processes that share the cores. */
  readonly workers: number;
  readonly hashThreads: number;
  /** Whether mail goes anywhere: to a relay, or to the inbox of a development server. */
  readonly hasMail: boolean;
};

export type Setting<T> = {
  readonly name: string;
  readonly meaning: string;
  readonly bounds: string;
  /** A good value, for the sentence about a bad one. */
  readonly example: string;
  /** Never shown, neither whole nor in part. */
  readonly secret: boolean;
  /** A value as it may be shown, where a part of it is a secret. */
  readonly shown?: (text: string) => string;
  /** What to do; production does not start without this setting. */
  readonly demandedInProduction?: string;
  /** The default as people read it, where it is no fixed text. */
  readonly defaultShown?: string;
  readonly defaultText: (known: Known) => string;
  readonly parse: (text: string, known: Known) => Parsed<T>;
};

type SettingEntry<T> = Omit<Setting<T>, "secret" | "defaultText"> & {
  readonly secret?: true;
  readonly otherwise: string | ((known: Known) => string);
};

export function setting<T>({ secret, otherwise, ...entry }: SettingEntry<T>): Setting<T> {
  const defaultText = typeof otherwise === "string" ? () => otherwise : otherwise;
  return { ...entry, secret: secret === true, defaultText };
}
