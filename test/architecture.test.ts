/**
 * The import rules of ARCHITECTURE.md, as a test: who may import whom, and who may touch the world.
 *
 * Everything is read from the sources' text; test files are free, and are left out.
 */
import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path/posix";
import { test } from "node:test";

/** Which feature enters which other one, through its door. ARCHITECTURE.md quotes this table. */
const featurePairs: Readonly<Record<string, readonly string[]>> = {
  accounts: ["audit", "sessions"],
  administration: ["accounts", "audit", "passwords", "sessions"],
  development: ["accounts", "passwords", "sessions", "sign-in"],
  "email-flows": ["accounts", "audit", "mail", "mail-tokens", "notices", "passwords", "sessions"],
  guide: ["health"],
  mail: ["mail-tokens"],
  metrics: ["mail"],
  notices: ["mail"],
  passwords: ["audit", "notices", "sessions"],
  sessions: ["audit", "idempotency", "notices"],
  "sign-in": [
    "accounts",
    "audit",
    "email-flows",
    "idempotency",
    "mail",
    "mail-tokens",
    "notices",
    "passwords",
    "sessions",
  ],
};

/** Layer → the layers that it may import. `types` is what it may import with `import type` alone. */
const layers: Readonly<Record<string, { imports: readonly string[]; types?: readonly string[] }>> = {
  main: { imports: ["cli"] },
  cli: { imports: ["cli", "app", "features", "platform", "settings", "contract"] },
  app: { imports: ["features", "platform", "contract"] },
  features: { imports: ["features", "platform", "contract"], types: ["settings"] },
  platform: { imports: ["platform", "contract"], types: ["settings"] },
  settings: { imports: ["settings", "contract"] },
  contract: { imports: ["contract"] },
};

/** Single imports that the layers forbid, each with its reason. */
const exceptions: ReadonlySet<string> = new Set([
  // A proxy's address range in a setting is read by the code that later compares addresses with it.
  "src/setting-parsers.ts → src/platform/http/client-address.ts",
]);

/** What only the platform, the settings and main may touch: time, chance, environment, files and network. */
const worldly: readonly RegExp[] = [
  /\bDate\.now\b/,
  /\bnew Date\(/,
  /\bperformance\.now\b/,
  /\bMath\.random\b/,
  /(?<!\bsecrets\.)\brandom(?:Bytes|UUID|Int|FillSync|Fill)\b/,
  /\bgetRandomValues\b/,
  /\bprocess\.env\b/,
  /\bfetch\(/,
  /"node:(?:fs|fs\/promises|net|http|https|http2|dgram|dns|tls|child_process)"/,
];

const vagueNames: ReadonlySet<string> = new Set([
  "utils",
  "util",
  "helpers",
  "helper",
  "common",
  "shared",
  "index",
  "misc",
]);

/** What is in our folders and not ours: packages, and what was built. */
const foreign = ["**/node_modules/**", "web/dist/**"];

type Import = { readonly from: string; readonly to: string; readonly typeOnly: boolean };

const root = join(import.meta.dirname, "..");
const sources = globSync("src/**/*.ts", { cwd: root })
  .filter((path) => !path.endsWith(".test.ts"))
  .sort();
const code: ReadonlyMap<string, string> = new Map(
  sources.map((path) => [path, withoutComments(readFileSync(join(root, path), "utf8"))]),
);
const imports: readonly Import[] = sources.flatMap(importsOf);

test("each layer imports only the layers below it", () => {
  const faults = imports.flatMap(({ from, to, typeOnly }) => {
    const layer = layers[layerOf(from)];
    const target = layerOf(to);
    if (layer === undefined) return [`${from}: it belongs to no layer`];
    const isAllowed = layer.imports.includes(target) || (typeOnly && layer.types?.includes(target) === true);
    return isAllowed || exceptions.has(`${from} → ${to}`)
      ? []
      : [`${from} imports ${to}: ${layerOf(from)} may not import ${target}`];
  });
  assert.deepEqual(faults, []);
});

test("every exception is still needed", () => {
  const present = new Set(imports.map(({ from, to }) => `${from} → ${to}`));
  assert.deepEqual(
    [...exceptions].filter((exception) => !present.has(exception)),
    [],
  );
});

test("a feature is entered through its door: the file named like its folder", () => {
  const faults = imports
    .filter(({ from, to }) => layerOf(to) === "features" && featureOf(from) !== featureOf(to))
    // The command line stands above the features, and shows what only one file of a feature knows.
    .filter(({ from }) => layerOf(from) !== "cli")
    .filter(({ from, to }) => to !== doorOf(featureOf(to)) && !(from === "src/app.ts" && to.endsWith("-routes.ts")))
    .map(({ from, to }) => `${from} imports ${to}: enter through ${doorOf(featureOf(to))}`);
  assert.deepEqual(faults, []);
});

test("only app.ts imports routes, and a store is imported in its own folder only", () => {
  const faults = imports
    .filter(
      ({ from, to }) =>
        (to.endsWith("-routes.ts") && from !== "src/app.ts") ||
        (to.endsWith("-store.ts") && dirname(from) !== dirname(to)),
    )
    .map(({ from, to }) => `${from} imports ${to}: not its business`);
  assert.deepEqual(faults, []);
});

test("the features enter one another exactly as the table says", () => {
  const present: Record<string, string[]> = {};
  for (const { from, to } of imports) {
    if (layerOf(from) !== "features" || layerOf(to) !== "features" || featureOf(from) === featureOf(to)) continue;
    const entered = (present[featureOf(from)] ??= []);
    if (!entered.includes(featureOf(to))) entered.push(featureOf(to));
  }
  assert.deepEqual(sorted(present), sorted(featurePairs));
});

test("ARCHITECTURE.md quotes the table", () => {
  const text = readFileSync(join(root, "ARCHITECTURE.md"), "utf8");
  const table = /^\| feature \| enters \|\n\| --- \| --- \|\n((?:\|.*\|\n)+)/m.exec(text)?.[1];
  assert.ok(table !== undefined, "ARCHITECTURE.md has no table that begins with | feature | enters |");
  const quoted = table
    .trimEnd()
    .split("\n")
    .map((row) => [...row.matchAll(/[a-z][a-z-]*/g)].map(([name]) => name));
  assert.deepEqual(
    sorted(Object.fromEntries(quoted.map(([feature, ...entered]) => [feature, entered]))),
    sorted(featurePairs),
  );
});

test("ARCHITECTURE.md names every feature", () => {
  const text = readFileSync(join(root, "ARCHITECTURE.md"), "utf8");
  const features = new Set(sources.filter((path) => layerOf(path) === "features").map(featureOf));
  assert.deepEqual(
    [...features].filter((feature) => !text.includes(`\`${feature}/\``)),
    [],
  );
});

test("no file imports itself through others", () => {
  const targets = new Map<string, string[]>();
  for (const { from, to, typeOnly } of imports) {
    // Types are gone when the program runs: a port and what implements it may know each other's types.
    if (!typeOnly) targets.set(from, [...(targets.get(from) ?? []), to]);
  }
  assert.deepEqual(
    sources.flatMap((path) => cycleFrom(path, targets)),
    [],
  );
});

test("time, chance, the environment, files and the network are touched by the platform alone", () => {
  const faults = [...code]
    .filter(([path]) => !["platform", "settings", "main"].includes(layerOf(path)))
    .flatMap(([path, text]) => {
      const running = text.replaceAll(/^import type [^;]*;/gm, "");
      return worldly
        .filter((pattern) => pattern.test(running))
        .map((pattern) => `${path} has ${pattern.source}: ask the platform`);
    });
  assert.deepEqual(faults, []);
});

// On PostgreSQL an "integer" has 32 bits, and the others are unknown.
test("migrations take what differs between databases from SchemaWords", () => {
  const faults = [...code]
    .filter(([path]) => path.includes("/database/migrations/"))
    .flatMap(([path, text]) =>
      [...text.matchAll(/"(?:integer|int\w*|bigint|blob|bytea|boolean|serial)"|\bautoIncrement\b|\bstrict\b/g)].map(
        ([word]) => `${path} has ${word}: take wholeNumber, bytes, newNumber or tableEnd`,
      ),
    );
  assert.deepEqual(faults, []);
});

test("the pages in web/ import nothing from src/", () => {
  const faults = globSync("web/**/*.{js,ts,tsx,html,css}", { cwd: root, exclude: foreign }).filter((path) =>
    /(?:from|import\(?|src=|href=)\s*["'][^"']*\bsrc\//.test(readFileSync(join(root, path), "utf8")),
  );
  assert.deepEqual(faults, []);
});

test("no folder or file has a name that says nothing", () => {
  const faults = globSync("{src,test,web,bench}/**/*", { cwd: root, exclude: foreign }).filter((path) =>
    vagueNames.has(basename(path).replace(/\..*$/, "")),
  );
  assert.deepEqual(faults, []);
});

function importsOf(from: string): Import[] {
  const text = code.get(from) ?? "";
  const statements = text.matchAll(/^(?:import|export)(\s+type)?\b[^;"]*?"(\.[^"]+)"/gm);
  const calls = text.matchAll(/\bimport\(\s*"(\.[^"]+)"/g);
  return [
    ...[...statements].map(([, type, path]) => ({
      from,
      to: join(dirname(from), path ?? ""),
      typeOnly: type !== undefined,
    })),
    ...[...calls].map(([, path]) => ({ from, to: join(dirname(from), path ?? ""), typeOnly: false })),
  ];
}

function layerOf(path: string): string {
  const [, name = "", ...rest] = path.split("/");
  if (!path.startsWith("src/")) return path;
  if (rest.length > 0) return name;
  return ["main.ts", "app.ts"].includes(name) ? name.replace(/\.ts$/, "") : "settings";
}

/** The folder's name under src/features, or the path itself outside it. */
function featureOf(path: string): string {
  return /^src\/features\/([^/]+)\//.exec(path)?.[1] ?? path;
}

function doorOf(feature: string): string {
  return `src/features/${feature}/${feature}.ts`;
}

/** The shortest way from a file back to itself, as one line; each cycle is told by its first file in the alphabet. */
function cycleFrom(start: string, targets: ReadonlyMap<string, readonly string[]>): string[] {
  const ways: string[][] = [[start]];
  const seen = new Set<string>();
  for (let way = ways.shift(); way !== undefined; way = ways.shift()) {
    for (const next of targets.get(way.at(-1) ?? "") ?? []) {
      if (next === start) return way.every((path) => path >= start) ? [[...way, start].join(" → ")] : [];
      if (!seen.has(next)) ways.push([...way, next]);
      seen.add(next);
    }
  }
  return [];
}

/** A rough cut: a comment begins at a line's start or after a space, which no URL in a string does. */
function withoutComments(text: string): string {
  return text.replaceAll(/\/\*[\s\S]*?\*\//g, "").replaceAll(/(^|\s)\/\/.*$/gm, "$1");
}

function sorted(table: Readonly<Record<string, readonly string[]>>): string[] {
  return Object.entries(table)
    .map(([feature, entered]) => `${feature} → ${entered.toSorted().join(", ")}`)
    .sort();
}
