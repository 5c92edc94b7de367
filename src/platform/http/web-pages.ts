import escapeHtml from "escape-html";
import type { PageAssets } from "./web-build.ts";

/** HTML that is already safe: only `html` and `joined` make it. */
export class SafeHtml {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

type Part = string | number | SafeHtml;

/** Writes HTML; whatever is put in is escaped unless `html` itself has made it. */
export function html(strings: TemplateStringsArray, ...parts: readonly Part[]): SafeHtml {
  const text = strings.map((string, index) => (index === 0 ? string : shown(parts[index - 1] ?? "") + string));
  return new SafeHtml(text.join(""));
}

export function joined(parts: readonly SafeHtml[]): SafeHtml {
  return new SafeHtml(parts.map(({ text }) => text).join(""));
}

function shown(part: Part): string {
  return part instanceof SafeHtml ? part.text : escapeHtml(String(part));
}

const places = [
  { href: "/", name: "Home" },
  { href: "/lab", name: "Lab" },
  { href: "/learn", name: "Learn" },
  { href: "/errors", name: "Errors" },
  { href: "/docs", name: "API docs" },
  { href: "/console", name: "Console" },
  { href: "/account", name: "Account" },
] as const;

/**
 * A whole page in the one look: complete without JavaScript, nothing inline, nothing from other hosts.
 * It is shown once it is there to its `end`: of one that has come in part, what is laid out in rows or from the right
 * would move with each further piece.
 */
export function pageOf({
  title,
  at,
  main,
  language = "en",
  assets,
}: {
  readonly title: string;
  /** Of the title and of what is in `main`; the frame around it is English. */
  readonly language?: string;
  /** The place in the navigation that this page is, or belongs to. */
  readonly at: string;
  readonly main: SafeHtml;
  /** What the page's own script needs, if it has one. */
  readonly assets?: PageAssets | undefined;
}): string {
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title lang="${language}">${title}</title>
<link rel="icon" href="/assets/favicon.svg" type="image/svg+xml">
<link rel="stylesheet" href="/assets/tollgate.css">
<link rel="expect" href="#end" blocking="render">
${assets ? assetLinks(assets) : ""}
</head>
<body>
${frameTop(at, "main")}
<main id="main" lang="${language}" tabindex="-1">${main}</main>
<footer id="end"><p>Every request passes seven gates. Every refusal says which one, and why.</p></footer>
</body>
</html>
`;
  return page.text;
}

/** What stands above every page: the way past it, the name, the places. Swagger UI gets it too, by a script. */
export function frameTop(at: string, mainId: string): SafeHtml {
  const links = places.map(({ href, name }) =>
    href === at ? html`<a href="${href}" aria-current="page">${name}</a>` : html`<a href="${href}">${name}</a>`,
  );
  return html`<a class="skip" href="#${mainId}">Skip to the content</a>
<header class="top"><div class="bar">
<a class="wordmark" href="/"><img src="/assets/favicon.svg" alt="" width="24" height="24">Tollgate</a>
<nav aria-label="Main">${joined(links)}</nav>
</div></header>`;
}

function assetLinks({ script, preloads, styles }: PageAssets): SafeHtml {
  return joined([
    ...styles.map((href) => html`<link rel="stylesheet" href="${href}">`),
    ...preloads.map((href) => html`<link rel="modulepreload" href="${href}">`),
    html`<script type="module" src="${script}"></script>`,
  ]);
}

/** The words that go with a status (RFC 9110 §15). */
export function reasonOf(status: number): string {
  // Imported by its name, node:http would bring along all of what it offers: a WebSocket client with it, 4 MB.
  return process.getBuiltinModule("node:http").STATUS_CODES[status] ?? "";
}

/** A sentence in which `names` between backticks are shown as code. */
export function prose(text: string): SafeHtml {
  return joined(text.split("`").map((part, index) => (index % 2 === 0 ? html`${part}` : html`<code>${part}</code>`)));
}

/**
 * Text that keeps its lines. It scrolls within itself, so a keyboard must be able to reach it.
 * `data-copy` marks what a person may want to copy: a script adds the button, for it could do nothing without one.
 */
export function codeBlock(
  label: string,
  text: string,
  { toCopy = false }: { readonly toCopy?: boolean } = {},
): SafeHtml {
  const copy = toCopy ? html` data-copy` : html``;
  return html`<pre tabindex="0" role="group" aria-label="${label}"${copy}><code>${text}</code></pre>`;
}
