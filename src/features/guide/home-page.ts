import { gateQuestions, gates, type Gate } from "../../contract/gates.ts";
import type { PageAssets } from "../../platform/http/web-build.ts";
import { codeBlock, html, joined, pageOf, type SafeHtml } from "../../platform/http/web-pages.ts";

/** What each gate refuses with, as the picture shows it. */
const refusals: Readonly<Record<Gate, string>> = {
  route: "404 · 405",
  limit: "429",
  authenticate: "401",
  authorize: "403",
  validate: "400 · 413 · 415 · 422",
  handle: "404 · 409",
  depend: "503",
};

/** The first page a person sees: what this is, what it does to a request, and where to go on. */
export function homePage(server: {
  readonly mode: string;
  readonly publicUrl: string;
  readonly databaseUp: boolean;
  /** In development without a relay. */
  readonly hasInbox: boolean;
  readonly assets?: PageAssets;
}): string {
  const main = html`
<section class="hero">
<h1>Accounts, sign-in and rate limits that explain themselves</h1>
<p class="lead">This server keeps accounts, proves who is asking, and slows down who asks too often. Each refusal tells which gate decided it, and why.</p>
${status(server)}
</section>
<section aria-labelledby="gates">
<h2 id="gates">The seven gates</h2>
<p>A request passes them from first to last and stops at the first that refuses it.</p>
<ol class="gates">${joined(gates.map(gateItem))}</ol>
</section>
<section aria-labelledby="try">
<h2 id="try">Try it</h2>
<ol class="steps">
<li><p>Sign up:</p>${codeBlock("Command to sign up", signUpCommand(server.publicUrl), { toCopy: true })}</li>
<li><p>Ask who you are, with the <code>token</code> of the answer:</p>${codeBlock("Command to ask who you are", meCommand(server.publicUrl), { toCopy: true })}</li>
<li><p>Leave the token out: the third gate refuses, and its answer names the page that explains it.</p>${codeBlock("Command without a token", `curl -i ${server.publicUrl}/users/me`, { toCopy: true })}</li>
</ol>
</section>
<section aria-labelledby="next">
<h2 id="next">Go on</h2>
<ul class="cards">
<li><a href="/lab"><strong>See a request pass the gates</strong><span>The Lab sends real requests, one for each status, and shows where they stop.</span></a></li>
<li><a href="/learn"><strong>Learn how it is made</strong><span>The tutorial: read, run, break, mend.</span></a></li>
<li><a href="/docs"><strong>Try every route</strong><span>Swagger UI: Authorize, paste the token, send.</span></a></li>
<li><a href="/errors"><strong>Understand a refusal</strong><span>Every problem with its causes and its cure.</span></a></li>
<li><a href="/health/ready"><strong>See what is there</strong><span>Whether the database answers and requests may come.</span></a></li>
<li><a href="/openapi.json"><strong>Generate a client</strong><span>The OpenAPI 3.1 document.</span></a></li>${server.hasInbox ? inboxCard : html``}
</ul>
</section>`;
  return pageOf({ title: "Tollgate", at: "/", main, assets: server.assets });
}

const inboxCard = html`
<li><a href="/dev/inbox"><strong>Read its mail</strong><span>What it sent lies in the development inbox, with links that work.</span></a></li>`;

function status({ mode, databaseUp }: { readonly mode: string; readonly databaseUp: boolean }): SafeHtml {
  const database = databaseUp
    ? html`<li class="good">Running</li><li class="good">Database up</li>`
    : html`<li class="good">Running</li><li class="bad">Database away: most requests answer 503 until it is back</li>`;
  return html`<ul class="status" aria-label="Status">${database}<li>${mode} mode</li></ul>`;
}

function gateItem(gate: Gate): SafeHtml {
  return html`<li><span class="gate-name">${gate}</span><span class="gate-asks">${gateQuestions[gate]}</span><span class="gate-refuses"><span class="away">refuses with </span>${refusals[gate]}</span></li>`;
}

function signUpCommand(publicUrl: string): string {
  return `curl ${publicUrl}/users/ \\\n  -H 'content-type: application/json' \\\n  -d '{"email":"alice@example.com","password":"correct horse battery"}'`;
}

function meCommand(publicUrl: string): string {
  return `TOKEN='paste the token here'\ncurl ${publicUrl}/users/me -H "authorization: Bearer $TOKEN"`;
}
