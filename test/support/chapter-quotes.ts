/** What a chapter says about the code, held against the code: links, snippets, names, and lines to break. */
import { existsSync, globSync, readFileSync, statSync } from "node:fs";
import { join, normalize } from "node:path/posix";

const root = join(import.meta.dirname, "../..");

export type Block = { readonly info: string; readonly text: string };

/** Every fenced block of a Markdown text. */
function blocksOf(markdown: string): readonly Block[] {
  return [...markdown.matchAll(/^(`{3,})([^\n]*)\n([\s\S]*?)^\1$/gm)].map(([, , info = "", text = ""]) => ({
    info: info.trim(),
    text,
  }));
}

export type Break = {
  readonly file: string;
  readonly test: string;
  /** The name of the test that notices. */
  readonly fails: string;
  readonly before: string;
  readonly after: string;
};

/** The `diff` blocks: lines of a file to change, and the test that fails then. */
export function breaksOf(markdown: string): readonly Break[] {
  return blocksOf(markdown)
    .filter(({ info }) => info.startsWith("diff "))
    .map(({ info, text }) => {
      const lines = text.trimEnd().split("\n");
      const side = (left: string): string =>
        lines
          .filter((line) => line.startsWith(left) || line.startsWith(" "))
          .map((line) => `${line.slice(1)}\n`)
          .join("");
      return {
        file: attribute(info, "file"),
        test: attribute(info, "test"),
        fails: attribute(info, "fails"),
        before: side("-"),
        after: side("+"),
      };
    });
}

/** All that a chapter quotes and that is not so, each as a sentence. */
export function wrongQuotes(file: string, markdown: string): readonly string[] {
  return [
    ...wrongSnippets(markdown),
    ...wrongBreaks(markdown),
    ...wrongLinkedNames(file, markdown),
    ...wrongNames(markdown),
  ];
}

function attribute(info: string, name: string): string {
  const [, quoted, bare = ""] = new RegExp(String.raw`\b${name}=(?:"([^"]+)"|(\S+))`).exec(info) ?? [];
  return quoted ?? bare;
}

function read(file: string): string {
  const path = join(root, file);
  return existsSync(path) && statSync(path).isFile() ? readFileSync(path, "utf8") : "";
}

/** A snippet's lines stand in its file as they are; a line with nothing but `…` leaves some out. */
function wrongSnippets(markdown: string): string[] {
  return blocksOf(markdown)
    .filter(({ info }) => info.startsWith("ts "))
    .flatMap(({ info, text }) => {
      const from = attribute(info, "from");
      const source = read(from);
      let at = 0;
      for (const piece of text.split(/^ *…\n/m)) {
        const found = source.indexOf(piece, at);
        if (found === -1) return [`${from} does not have: ${piece}`];
        at = found + piece.length;
      }
      return [];
    });
}

function wrongBreaks(markdown: string): string[] {
  return breaksOf(markdown).flatMap(({ file, test, fails, before }) => [
    ...(read(file).split(before).length === 2 ? [] : [`${file} does not have once: ${before}`]),
    ...(read(test) === "" ? [`there is no ${test}`] : []),
    // It may stand in a file that the test calls: one body of tests for several implementations.
    ...(fails !== "" && corpus().some((text) => text.includes(fails)) ? [] : [`there is no test ${fails}`]),
  ]);
}

/** A name that is a link stands in the file that it leads to. */
function wrongLinkedNames(file: string, markdown: string): string[] {
  return [...markdown.matchAll(/\[`([^`]+)`\]\(([^)#]+)\)/g)].flatMap(([, name = "", target = ""]) => {
    const path = normalize(join("docs/learn", target));
    return read(path).includes(name) ? [] : [`${file}: ${path} does not have ${name}`];
  });
}

/** Any other name in code type stands somewhere: in the code, or in what this chapter sends and expects. */
function wrongNames(markdown: string): string[] {
  const blocks = blocksOf(markdown).map(({ text }) => text);
  const prose = markdown.replaceAll(/^(`{3,})[^\n]*\n[\s\S]*?^\1$/gm, "").replaceAll(/\[`[^`]+`\]/g, "");
  const names = new Set([...prose.matchAll(/`([^`\n]+)`/g)].map(([, name = ""]) => name));
  return [...names]
    .filter((name) => !blocks.some((text) => text.includes(name)) && !corpus().some((text) => text.includes(name)))
    .map((name) => `\`${name}\` is nowhere in the code`);
}

let texts: readonly string[] | undefined;

function corpus(): readonly string[] {
  texts ??= globSync(["{src,web,test,learn}/**/*.{ts,js,css}", "docs/reference/*", "*.md", "package.json"], {
    cwd: root,
  })
    .filter((path) => !path.includes("node_modules"))
    .map((path) => readFileSync(join(root, path), "utf8"));
  return texts;
}
