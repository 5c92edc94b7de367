import type { Config, EffectiveSetting } from "../../config.ts";
import type { ExampleRequest, ProblemEntry, ProblemExample } from "../../contract/problem-entry.ts";
import { problems, type ProblemCode } from "../../contract/problems.ts";
import type { PageAssets } from "../../platform/http/web-build.ts";
import type { MadeExample, MadeExamples } from "./made-examples.ts";

/** What the pages and the JSON of the catalogue need to know of this server. */
export type Guide = {
  readonly config: Pick<Config, "publicUrl" | "mode" | "settings">;
  readonly made: MadeExamples;
  readonly assets?: PageAssets;
};

export type ShownExample = {
  readonly example: ProblemExample;
  readonly made: MadeExample | undefined;
  /** Without its first steps, which need a switch of development. */
  readonly isShort: boolean;
  /** Why the Lab cannot send it; undefined when it can. */
  readonly notInLab: string | undefined;
};

/** The example as this server can show it. */
export function exampleOf(code: ProblemCode, { config, made }: Guide): ShownExample {
  const { example }: ProblemEntry = problems[code];
  const { before = [] } = example;
  const hasSwitches = config.mode === "development";
  const possible = before.filter((request) => hasSwitches || !needsSwitch(request));
  const isShort = possible.length < before.length;
  const isSendable = !isShort && (hasSwitches || !needsSwitch(example));
  return {
    example: { ...example, before: possible },
    made: made[code],
    isShort,
    notInLab:
      example.notInLab ??
      example.onlyInTest ??
      (isSendable ? undefined : "It needs a switch that only development has."),
  };
}

function needsSwitch({ path }: ExampleRequest): boolean {
  return path.startsWith("/dev/");
}

export type ShownSetting = {
  readonly name: string;
  readonly meaning: string;
  readonly bounds: string;
  /** What is in force: told in development alone. An administrator asks GET /admin/settings. */
  readonly inForce?: {
    readonly value: string;
    readonly origin: EffectiveSetting["origin"];
    /** Starts the server with another value, once that is written where this one stands. */
    readonly line: string;
  };
};

/** The settings that decide about a problem. */
export function settingsOf(code: ProblemCode, { config }: Guide): readonly ShownSetting[] {
  const { settings = [] }: ProblemEntry = problems[code];
  const behind = settings.flatMap((name) => config.settings.find((setting) => setting.name === name) ?? []);
  return behind.map(({ name, meaning, bounds, value, origin }) => {
    const isTold = config.mode === "development";
    return { name, meaning, bounds, ...(isTold ? { inForce: { value, origin, line: lineOf(name, value) } } : {}) };
  });
}

// A default may be told in words, and a secret by stars: neither is a value to begin with.
function lineOf(name: string, value: string): string {
  const isValue = /^[\w./:@-]+$/.test(value) && value !== "none";
  return `${name}=${isValue ? value : "…"} npm start`;
}
