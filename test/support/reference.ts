import { eventMeanings } from "../../src/contract/events.ts";
import { gateQuestions, gates } from "../../src/contract/gates.ts";
import { permissions } from "../../src/contract/permissions.ts";
import type { ProblemEntry } from "../../src/contract/problem-entry.ts";
import { type ProblemCode, problems } from "../../src/contract/problems.ts";
import { answerText, requestText } from "../../src/features/guide/example-text.ts";
import { madeAt, type MadeExample, type MadeExamples } from "../../src/features/guide/made-examples.ts";
import { type AnyRoute, problemsOf } from "../../src/platform/http/route.ts";
import { settingsReference } from "../../src/settings.ts";
import { makeExamples } from "./problem-examples.ts";
import { createTestServer } from "./test-server.ts";

const head = "<!-- Made by `npm run reference`: do not edit. -->\n\n";

/** The files of docs/reference, from the code itself: name → text. */
export async function referenceFiles(): Promise<Readonly<Record<string, string>>> {
  const server = await createTestServer();
  const made = await makeExamples();
  return {
    "problems.md": problemsReference(made),
    "problem-examples.json": `${JSON.stringify(made, null, 2)}\n`,
    "routes.md": routesReference(server.app.routes),
    "settings.md": settingsText(),
    "events.md": eventsReference(),
    "openapi.json": `${JSON.stringify(server.app.swagger(), null, 2)}\n`,
  };
}

function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll("|", String.raw`\|`)).join(" | ")} |\n`;
  return line(header) + line(header.map(() => "---")) + rows.map(line).join("");
}

function problemsReference(made: MadeExamples): string {
  const entries = Object.entries<ProblemEntry>(problems);
  const rows = entries.map(([code, { status, gate, title }]) => [
    `[\`${code}\`](#${code})`,
    String(status),
    gate,
    title,
  ]);
  const pages = entries.map(([code, entry]) => problemText(code, entry, made[code]));
  const gateRows = gates.map((gate) => [gate, gateQuestions[gate]]);
  return `${head}# Problems\n\nEvery refusal is one of these, as \`application/problem+json\` (RFC 9457). Its \`type\` opens its page on the same server.\n\n${table(["code", "status", "gate", "title"], rows)}\n## The gates\n\n${table(["gate", "asks"], gateRows)}\n${pages.join("\n")}`;
}

function problemText(
  code: string,
  { status, title, gate, whatHappened, causes, cures, settings = [] }: ProblemEntry,
  made: MadeExample | undefined,
): string {
  const list = (items: readonly string[]): string => items.map((item) => `- ${item}\n`).join("");
  const behind = settings.length === 0 ? "" : `\nSettings: ${settings.map((name) => `\`${name}\``).join(", ")}.\n`;
  return `## ${code}\n\n**${status} ${title}**, refused by \`${gate}\`. ${whatHappened}\n\nUsual causes:\n\n${list(causes)}\nWhat to do:\n\n${list(cures)}${behind}${made === undefined ? "" : exampleText(made)}`;
}

function exampleText({ before, request, answer }: MadeExample): string {
  const http = (text: string): string => `\`\`\`http\n${text}\n\`\`\`\n`;
  const first = before.map((step) => `First, answered ${step.status}:\n\n${http(requestText(step.request, madeAt))}\n`);
  return `\nAn example:\n\n${first.join("")}${http(requestText(request, madeAt))}\n${http(answerText(answer, madeAt))}`;
}

function routesReference(definitions: readonly AnyRoute[]): string {
  const shown = definitions.filter(({ hidden }) => hidden !== true);
  const inDevelopment = shown.filter(({ access }) => access === "this-machine");
  const common = new Set<ProblemCode>(["malformed-request", "internal", "database-unavailable"]);
  const rowOf = (route: AnyRoute): string[] => [
    `\`${route.method} ${route.url.replaceAll(/:(\w+)/g, "{$1}")}\``,
    route.summary,
    `${route.access}${route.fresh ? ", recently proved" : ""}`,
    route.limit,
    String(route.success.status),
    problemsOf(route)
      .filter((code) => !common.has(code))
      .map((code) => `\`${code}\``)
      .join(" "),
  ];
  const header = ["route", "does", "access", "limit", "success", "problems"];
  const permissionRows = Object.entries(permissions).map(([name, meaning]) => [`\`${name}\``, meaning]);
  return `${head}# Routes\n\nEach may also answer ${[...common].map((code) => `\`${code}\``).join(", ")}. Every \`GET\` answers \`HEAD\` too; a trailing slash does not matter.\n\n${table(header, shown.filter((route) => !inDevelopment.includes(route)).map(rowOf))}\n## In development only\n\nSwitches for the Lab. They answer to programs on this machine and to the pages of this server; in production they are not registered, and its OpenAPI document has nothing of them.\n\n${table(header, inDevelopment.map(rowOf))}\n## Permissions\n\n${table(["permission", "allows"], permissionRows)}`;
}

function settingsText(): string {
  const rows = settingsReference().map(({ name, defaults, bounds, meaning }) => {
    const { development, production } = defaults;
    const shown = development === production ? development : `${development}; production: ${production}`;
    return [`\`${name}\``, shown, bounds, meaning];
  });
  return `${head}# Settings\n\nAll come from the environment and are read once, at the start. \`npm run tollgate -- config\` shows what is in force.\n\n${table(["name", "default", "bounds", "meaning"], rows)}`;
}

function eventsReference(): string {
  const rows = Object.entries(eventMeanings).map(([type, meaning]) => [`\`${type}\``, meaning]);
  return `${head}# Events\n\nThe audit log, written in the same transaction as the change it records.\n\n${table(["type", "means"], rows)}`;
}
