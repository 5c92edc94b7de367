import { gateQuestions, gates, type Gate } from "../../contract/gates.ts";
import type { ProblemEntry } from "../../contract/problem-entry.ts";
import { Problem, problemBody, problems, type ProblemCode } from "../../contract/problems.ts";
import { codeBlock, html, joined, pageOf, prose, reasonOf, type SafeHtml } from "../../platform/http/web-pages.ts";

const entries = Object.entries<ProblemEntry>(problems);

/** The catalogue, by status. */
export function problemListPage(): string {
  const byStatus = Map.groupBy(entries, ([, { status }]) => status);
  const statuses = [...byStatus.keys()].toSorted((a, b) => a - b);
  const main = html`
<section class="hero">
<h1>Errors</h1>
<p class="lead">Everything this server refuses with. The <code>type</code> of a refusal is the address of its page; programs get the same list at <a href="/errors.json">/errors.json</a>.</p>
<nav class="jumps" aria-label="By status">${joined(statuses.map((status) => html`<a href="#s${status}">${status}</a>`))}</nav>
</section>
${joined(statuses.map((status) => statusSection(status, byStatus.get(status) ?? [])))}`;
  return pageOf({ title: "Errors · Tollgate", at: "/errors", main });
}

function statusSection(status: number, problemsOfStatus: typeof entries): SafeHtml {
  const items = problemsOfStatus.map(
    ([code, { title, detail }]) =>
      html`<li><a href="/errors/${code}">${title}</a><code>${code}</code><p>${detail}</p></li>`,
  );
  return html`<section aria-labelledby="s${status}"><h2 id="s${status}"><span class="code">${status}</span> ${reasonOf(status)}</h2><ul class="rows">${joined(items)}</ul></section>`;
}

/** One problem: what happened, why, what to do, and how it looks. */
export function problemPage(code: ProblemCode, { publicUrl }: { readonly publicUrl: string }): string {
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
<section><h2>An example</h2>
<h3>The request</h3>${codeBlock("Example request", entry.exampleRequest)}
<h3>The answer</h3>${codeBlock("Example answer", exampleAnswer(code, entry, publicUrl))}
</section>`;
  return pageOf({ title: `${entry.title} · Tollgate`, at: "/errors", main });
}

function trailItem(gate: Gate, decidedAt: Gate): SafeHtml {
  return gate === decidedAt ? html`<li aria-current="step">${gate}</li>` : html`<li>${gate}</li>`;
}

function list(items: readonly string[]): SafeHtml {
  return html`<ul>${joined(items.map((item) => html`<li>${prose(item)}</li>`))}</ul>`;
}

function exampleAnswer(
  code: ProblemCode,
  { status, exampleRequest, exampleMembers = {} }: ProblemEntry,
  publicUrl: string,
): string {
  const instance = exampleRequest.split(" ")[1]?.split("?")[0] ?? "/";
  const requestId = "0b0f1c5e-7c53-4a0e-9d0f-2f1f3c1a9e55";
  const body = problemBody(new Problem(code, { members: exampleMembers }), { publicUrl, instance, requestId });
  return `HTTP/1.1 ${status} ${reasonOf(status)}\ncontent-type: application/problem+json; charset=utf-8\n\n${JSON.stringify(body, null, 2)}`;
}
