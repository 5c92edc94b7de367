import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { transformerStyleToClass } from "@shikijs/transformers";
import { Marked, type Tokens } from "marked";
import { createHighlighter } from "shiki";
import type { Plugin } from "vite";
import { parseChapter, type RunPart } from "./learn/chapter-format.ts";

/** A chapter as the server shows it: its Markdown is HTML by now, its requests are still to be run. */
export type BuiltChapter = {
  /** `02-database`: its address below /learn. */
  readonly slug: string;
  readonly title: string;
  readonly summary: string;
  readonly minutes: number;
  readonly parts: readonly ({ readonly kind: "html"; readonly html: string } | RunPart)[];
};

const folder = join(import.meta.dirname, "../docs/learn");
const styleModule = "virtual:chapter-code.css";
const languages = ["ts", "json", "sh", "console", "http", "diff", "sql", "html"] as const;

/**
 * Builds the chapters of docs/learn into dist/chapters.json, with their code in colours. The policy of the pages
 * allows no style attribute, so each colour becomes a class; the classes are a stylesheet that learn.ts imports.
 */
export function chaptersPlugin(): Plugin {
  let chapters: readonly BuiltChapter[] = [];
  let css = "";
  return {
    name: "tollgate-chapters",
    async buildStart() {
      ({ chapters, css } = await buildChapters());
      for (const { slug } of chapters) this.addWatchFile(join(folder, `${slug}.md`));
    },
    resolveId: (id) => (id === styleModule ? `\0${styleModule}` : null),
    load: (id) => (id === `\0${styleModule}` ? css : null),
    generateBundle() {
      this.emitFile({ type: "asset", fileName: "chapters.json", source: JSON.stringify(chapters) });
    },
  };
}

async function buildChapters(): Promise<{ readonly chapters: readonly BuiltChapter[]; readonly css: string }> {
  const classes = transformerStyleToClass({ classPrefix: "c-" });
  const themes = { light: "github-light-high-contrast", dark: "github-dark-high-contrast" } as const;
  const highlighter = await createHighlighter({ langs: [...languages], themes: Object.values(themes) });
  const colour = (text: string, language: string): string => {
    const lang = languages.find((one) => one === language) ?? "text";
    return highlighter.codeToHtml(text, { lang, themes, defaultColor: "light-dark()", transformers: [classes] });
  };
  const marked = createMarked(colour);
  const names = readdirSync(folder).filter((name) => /^\d{2}-.*\.md$/.test(name));
  const chapters = names.toSorted().map((name): BuiltChapter => {
    const { parts, ...chapter } = parseChapter(readFileSync(join(folder, name), "utf8"));
    return {
      slug: name.replace(/\.md$/, ""),
      ...chapter,
      parts: parts.map((part) =>
        part.kind === "markdown" ? { kind: "html", html: marked.parse(part.text, { async: false }) } : part,
      ),
    };
  });
  highlighter.dispose();
  return { chapters, css: classes.getCSS() };
}

function createMarked(colour: (text: string, language: string) => string): Marked {
  return new Marked({
    renderer: {
      code({ text, lang = "" }: Tokens.Code) {
        const [language = "", ...attributes] = lang.split(/\s+/);
        const from = attributes.find((one) => /^(?:from|file)=/.test(one))?.split("=")[1];
        const caption = from === undefined ? "" : `<figcaption>${from}</figcaption>`;
        // Wider than its place, it scrolls within itself: a keyboard must be able to reach it.
        const code = colour(text, language).replace('tabindex="0"', `tabindex="0" role="group" aria-label="Code"`);
        return `<figure class="code-block">${caption}${code}</figure>`;
      },
      table(token) {
        const rows = (cells: readonly Tokens.TableCell[], tag: string): string =>
          `<tr>${cells.map(({ tokens }) => `<${tag}>${this.parser.parseInline(tokens)}</${tag}>`).join("")}</tr>`;
        const body = token.rows.map((cells) => rows(cells, "td")).join("");
        return `<div class="table" tabindex="0" role="group" aria-label="Table"><table><thead>${rows(token.header, "th")}</thead><tbody>${body}</tbody></table></div>`;
      },
      link({ href, tokens }) {
        const text = this.parser.parseInline(tokens);
        const place = pageOf(href);
        return place === undefined
          ? `<span title="${href.replace(/^(?:\.\.\/)+/, "")}">${text}</span>`
          : `<a href="${place}">${text}</a>`;
      },
    },
  });
}

/** Where a link of a chapter leads on the running server; undefined for what it does not serve, as its own source. */
function pageOf(href: string): string | undefined {
  if (/^(?:https?:|#|\/)/.test(href)) return href;
  const chapter = /^(\d{2}-[a-z-]+)\.md(#.*)?$/.exec(href);
  if (chapter) return `/learn/${chapter[1]}${chapter[2] ?? ""}`;
  const problem = /reference\/problems\.md#([a-z-]+)$/.exec(href);
  return problem ? `/errors/${problem[1]}` : undefined;
}
