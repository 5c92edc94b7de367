import { existsSync, readFileSync } from "node:fs";
import { extname } from "node:path";
import { StartError } from "../start-error.ts";

/** A file that the build made. Its name holds a hash of what is in it, so it may be kept for ever. */
export type BuiltFile = {
  readonly url: string;
  readonly mediaType: string;
  /** By content coding; `identity` is the file as it is. */
  readonly encodings: Readonly<Record<"identity" | "gzip" | "br", Buffer>>;
};

/** What a page must load for one script of its own: everything at once, without a chain of discoveries. */
export type PageAssets = {
  readonly script: string;
  readonly preloads: readonly string[];
  readonly styles: readonly string[];
};

export type WebBuild = {
  readonly files: readonly BuiltFile[];
  /** @param name of an entry in web/vite.config.ts. */
  readonly assetsOf: (name: string) => PageAssets;
  /** The chapters of docs/learn, as web/chapters-plugin.ts writes them. */
  readonly chapters: unknown;
};

type Chunk = {
  readonly file: string;
  readonly name?: string;
  readonly isEntry?: boolean;
  readonly imports?: readonly string[];
  readonly css?: readonly string[];
  readonly assets?: readonly string[];
};

const dist = new URL("../../../web/dist/", import.meta.url);

const mediaTypes: Readonly<Record<string, string>> = {
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
};

/**
 * Reads what `npm run build` made of web/, all of it: nothing is read while serving.
 *
 * @throws StartError when it was not built.
 */
export function readWebBuild(): WebBuild {
  const manifestFile = new URL("manifest.json", dist);
  if (!existsSync(manifestFile)) {
    throw new StartError("The pages are not built (web/dist is missing): run `npm run build`, then start again.");
  }
  const manifest = JSON.parse(readFileSync(manifestFile, "utf8")) as Readonly<Record<string, Chunk>>;
  const names = new Set(
    Object.values(manifest).flatMap(({ file, css = [], assets = [] }) => [file, ...css, ...assets]),
  );
  return {
    chapters: JSON.parse(readFileSync(new URL("chapters.json", dist), "utf8")),
    files: [...names].map(readBuiltFile),
    assetsOf: (name) => {
      const entry = Object.values(manifest).find((chunk) => chunk.isEntry === true && chunk.name === name);
      if (entry === undefined) throw new Error(`web/vite.config.ts builds no "${name}".`);
      const chunks = withImports(entry, manifest);
      return {
        script: `/${entry.file}`,
        preloads: chunks.slice(1).map(({ file }) => `/${file}`),
        styles: [...new Set(chunks.toReversed().flatMap(({ css = [] }) => css))].map((file) => `/${file}`),
      };
    },
  };
}

/** A chunk and all that it imports at once, each only once. */
function withImports(entry: Chunk, manifest: Readonly<Record<string, Chunk>>): Chunk[] {
  const found = new Set([entry]);
  for (const chunk of found) {
    for (const name of chunk.imports ?? []) {
      const imported = manifest[name];
      if (imported) found.add(imported); // A set that grows while it is walked is walked to its end.
    }
  }
  return [...found];
}

function readBuiltFile(name: string): BuiltFile {
  const mediaType = mediaTypes[extname(name)];
  if (mediaType === undefined) throw new Error(`web/dist/${name} has no media type in web-build.ts.`);
  const read = (suffix: string): Buffer => readFileSync(new URL(name + suffix, dist));
  return { url: `/${name}`, mediaType, encodings: { identity: read(""), gzip: read(".gz"), br: read(".br") } };
}
