import type { PageAssets } from "../../platform/http/web-build.ts";
import { codeBlock, html, joined, pageOf, SafeHtml } from "../../platform/http/web-pages.ts";

/** A chapter as web/chapters-plugin.ts builds it from docs/learn. */
export type BuiltChapter = {
  readonly slug: string;
  readonly title: string;
  readonly summary: string;
  readonly minutes: number;
  readonly parts: readonly ({ readonly kind: "html"; readonly html: string } | (RunStep & { readonly kind: "run" }))[];
};

type RunStep = {
  readonly id: string;
  readonly as: string;
  readonly times: number;
  readonly request: {
    readonly method: string;
    readonly path: string;
    readonly headers: Readonly<Record<string, string>>;
    readonly body?: string;
  };
  readonly expect: { readonly status: number };
};

type Frame = { readonly mode: string; readonly assets: PageAssets };

/** The tutorial: its chapters in order. */
export function chapterListPage(chapters: readonly BuiltChapter[], { mode, assets }: Frame): string {
  const items = chapters.map(({ slug, title, summary, minutes, parts }) => {
    const steps = parts.filter(({ kind }) => kind === "run").length;
    return html`<li><a href="/learn/${slug}">${title}</a><p>${summary}</p><p>${minutes} minutes · ${steps} requests to run <span data-progress="${slug}" data-steps="${steps}"></span></p></li>`;
  });
  const main = html`
<header class="screen-head"><h1>Learn</h1><p class="lead">Backend development, on the server that you are looking at: what it is, where it lives in the code, run it, break it, mend it.</p></header>
<div id="screen" data-mode="${mode}">
<ol class="chapter-list">${joined(items)}</ol>
<section class="panel"><h2>Exercises</h2><p>Twelve small programs, each with a fault or a gap, wait in a terminal. They say in words what is wrong, and go on to the next when it is right:</p>${codeBlock("Command for the exercises", "npm run learn")}</section>
</div>`;
  return pageOf({ title: "Learn · Tollgate", at: "/learn", main, assets });
}

/** One chapter, complete without a script; the script adds a button to each request. */
export function chapterPage(chapters: readonly BuiltChapter[], chapter: BuiltChapter, { mode, assets }: Frame): string {
  const { slug, title, summary, parts } = chapter;
  const index = chapters.indexOf(chapter);
  const [before, next] = [chapters[index - 1], chapters[index + 1]];
  const main = html`
<header class="screen-head"><p class="crumb"><a href="/learn">Learn</a> / ${index + 1} of ${chapters.length}</p><h1>${title}</h1><p class="lead">${summary}</p></header>
<div id="screen" data-mode="${mode}" data-chapter="${slug}">
${joined(parts.map((part) => (part.kind === "run" ? runStep(part) : new SafeHtml(part.html))))}
<p class="actions chapter-turn">${before ? html`<a href="/learn/${before.slug}">← ${before.title}</a>` : html`<a href="/learn">← All chapters</a>`}${next ? html`<a href="/learn/${next.slug}">${next.title} →</a>` : html`<a href="/learn">All chapters →</a>`}</p>
<div id="requests"></div>
</div>`;
  return pageOf({ title: `${title} · Tollgate`, at: "/learn", main, assets });
}

const senders: Readonly<Record<string, string>> = {
  nobody: "As nobody",
  user: "As a user",
  administrator: "As an administrator",
};

function runStep(step: RunStep): SafeHtml {
  const { as, times, request, expect } = step;
  const headers = Object.entries(request.headers).map(([name, value]) => `${name}: ${value}`);
  const lines = [
    `${request.method} ${request.path}`,
    ...headers,
    ...(request.body === undefined ? [] : ["", request.body]),
  ];
  const often = times > 1 ? `, ${times} times` : "";
  return html`<div class="run-step">${codeBlock("Request", lines.join("\n"))}<p class="run-expects">${senders[as] ?? as}${often}; expected: ${expect.status}</p><div data-step="${JSON.stringify(step)}"></div></div>`;
}
