import { gateQuestions, gates, type Gate } from "../../contract/gates.ts";
import type { ProblemEntry, ProblemExample } from "../../contract/problem-entry.ts";
import { problems, type ProblemCode } from "../../contract/problems.ts";
import { codeBlock, html, joined, pageOf, prose, reasonOf, type SafeHtml } from "../../platform/http/web-pages.ts";
import { answerText, curlText, requestText } from "./example-text.ts";
import type { MadeExample } from "./made-examples.ts";
import { exampleOf, settingsOf, type Guide, type ShownSetting } from "./problem-guide.ts";

const entries = Object.entries<ProblemEntry>(problems);

/** The catalogue, by status. */
export function problemListPage({ assets }: Pick<Guide, "assets">): string {
  const byStatus = Map.groupBy(entries, ([, { status }]) => status);
  const statuses = [...byStatus.keys()].toSorted((a, b) => a - b);
  const main = html`
<section class="hero">
<h1>Errors</h1>
<p class="lead">Everything this server refuses with. The <code>type</code> of a refusal is the address of its page; programs get the same list at <a href="/errors.json">/errors.json</a>.</p>
<nav class="jumps" aria-label="By status">${joined(statuses.map((status) => html`<a href="#s${status}">${status}</a>`))}</nav>
</section>
${joined(statuses.map((status) => statusSection(status, byStatus.get(status) ?? [])))}`;
  return pageOf({ title: "Errors · Tollgate", at: "/errors", main, assets });
}

function statusSection(status: number, problemsOfStatus: typeof entries): SafeHtml {
  const items = problemsOfStatus.map(
    ([code, { title, detail }]) =>
      html`<li><a href="/errors/${code}">${title}</a><code>${code}</code><p>${detail}</p></li>`,
  );
  return html`<section aria-labelledby="s${status}"><h2 id="s${status}"><span class="code">${status}</span> ${reasonOf(status)}</h2><ul class="rows">${joined(items)}</ul></section>`;
}

/** One problem: what happened, why, what to do, and how it looks. */
export function problemPage(code: ProblemCode, guide: Guide): string {
  const entry: ProblemEntry = problems[code];
  const main = html`
<section class="hero">
<p class="crumb"><a href="/errors">Errors</a> / ${code}</p>
<h1><span class="code">${entry.status}</span> ${entry.title}</h1>
<p class="lead">${prose(entry.detail)}</p>
<div class="decided">
<p>Decided at the gate <strong>${entry.gate}</strong>: ${gateQuestions[entry.gate]}</p>
<ol class="trail" aria-label="The seven gates">${joined(gates.map((gate) => trailItem(gate, entry.gate)))}</ol>
</div>
</section>
<section><h2>What happened</h2><p>${prose(entry.whatHappened)}</p></section>
<section><h2>Usual causes</h2>${list(entry.causes)}</section>
<section><h2>What to do</h2>${list(entry.cures)}</section>
${exampleSection(code, guide)}
${settingsSection(code, guide)}`;
  return pageOf({ title: `${entry.title} · Tollgate`, at: "/errors", main, assets: guide.assets });
}

function trailItem(gate: Gate, decidedAt: Gate): SafeHtml {
  return gate === decidedAt ? html`<li aria-current="step">${gate}</li>` : html`<li>${gate}</li>`;
}

function list(items: readonly string[]): SafeHtml {
  return html`<ul>${joined(items.map((item) => html`<li>${prose(item)}</li>`))}</ul>`;
}

/** The request that leads here, and what a server answered when it was sent. */
function exampleSection(code: ProblemCode, guide: Guide): SafeHtml {
  const { example, made, isShort, notInLab } = exampleOf(code, guide);
  const { publicUrl } = guide.config;
  return html`<section><h2>An example</h2>
${isShort ? html`<p>It was made in development, where a switch brings such a moment about.</p>` : firstSteps(made?.before ?? [])}
${made === undefined ? html`` : exchange(made, example, publicUrl)}
${example.onlyInTest === undefined ? curlPart(example, publicUrl) : html``}
<p>${notInLab === undefined ? html`<a class="button" href="/lab?problem=${code}">Open in the Lab</a>` : html`The Lab cannot send it. ${notInLab}`}</p>
</section>`;
}

function exchange({ request, answer }: MadeExample, { times = 1 }: ProblemExample, publicUrl: string): SafeHtml {
  const often = times === 1 ? html`` : html`<p>Sent ${times} times; one of the answers:</p>`;
  return html`<h3>The request</h3>${codeBlock("Example request", requestText(request, publicUrl))}
<h3>The answer</h3>${often}${codeBlock("Example answer", answerText(answer, publicUrl))}`;
}

function curlPart(example: ProblemExample, publicUrl: string): SafeHtml {
  const command = codeBlock("Example as a curl command", curlText(example, publicUrl), { toCopy: true });
  return html`<h3>With curl</h3>${command}`;
}

function firstSteps(before: MadeExample["before"]): SafeHtml {
  if (before.length === 0) return html``;
  const steps = before.map(
    ({ request: { method, path, body }, status }) =>
      html`<li><code>${method} ${path}</code>${body === undefined ? html`` : html` with <code>${body}</code>`}, answered ${status}</li>`,
  );
  return html`<h3>First</h3><ol>${joined(steps)}</ol>`;
}

const origins = { default: "the default", environment: "from the environment" } as const;

/** What an operator can turn. The values are this server's business: a page shows them in development alone. */
function settingsSection(code: ProblemCode, guide: Guide): SafeHtml {
  const settings = settingsOf(code, guide);
  if (settings.length === 0) return html``;
  const isTold = settings.every(({ inForce }) => inForce !== undefined);
  // A page's script puts a button there: what GET /admin/settings says is for administrators.
  const ask = isTold ? html`` : html`<p data-ask-settings></p>`;
  return html`<section><h2>The settings behind it</h2>${ask}<ul class="rows">${joined(settings.map(settingItem))}</ul></section>`;
}

function settingItem({ name, meaning, bounds, inForce }: ShownSetting): SafeHtml {
  const value = inForce
    ? html`<span class="in-force">${inForce.value} <small>${origins[inForce.origin]}</small></span>`
    : html``;
  const line = inForce ? codeBlock(`Command that changes ${name}`, inForce.line, { toCopy: true }) : html``;
  return html`<li data-setting="${name}"><strong><code>${name}</code></strong>${value}<p>${meaning} Allowed: ${bounds}.</p>${line}</li>`;
}
