import type { ExampleRequest, ProblemExample } from "../../contract/problem-entry.ts";
import { reasonOf } from "../../platform/http/web-pages.ts";
import { madeAt, type MadeExample, type MadeRequest } from "./made-examples.ts";

/** A request as it goes over the wire. */
export function requestText({ method, path, headers, body }: MadeRequest, publicUrl: string): string {
  const { host } = new URL(publicUrl);
  const lines = Object.entries({ ...headers, host }).map(([name, value]) => `${name}: ${value}\n`);
  return `${method} ${path} HTTP/1.1\n${lines.join("")}${body === undefined ? "" : `\n${body}`}`.trimEnd();
}

/** The answer to it; headers that every answer carries for safety's sake were left out when it was made. */
export function answerText({ status, headers, body }: MadeExample["answer"], publicUrl: string): string {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\n`);
  const text = JSON.stringify(body, null, 2).replaceAll(madeAt, publicUrl);
  return `HTTP/1.1 ${status} ${reasonOf(status)}\n${lines.join("")}\n${text}`;
}

/** Who plays in the examples. `hidden` stands in a variable of the shell, for nobody can write it down. */
export const exampleCast = {
  user: { id: "1", email: "alice@example.com", password: "correct horse battery" },
  administrator: { id: "2", email: "admin@example.com" },
  random: "1b4e28ba",
} as const;

const shown: Readonly<Record<string, string>> = {
  "user.id": exampleCast.user.id,
  "user.email": exampleCast.user.email,
  "user.password": exampleCast.user.password,
  "administrator.id": exampleCast.administrator.id,
  "administrator.email": exampleCast.administrator.email,
  random: exampleCast.random,
};
const hidden: Readonly<Record<string, string>> = {
  "user.token": "TOKEN",
  "user.refresh_token": "REFRESH_TOKEN",
  "administrator.token": "ADMIN_TOKEN",
};

/** The whole example for a shell: what is sent before, then the request itself. */
export function curlText({ before = [], ...main }: ProblemExample, publicUrl: string): string {
  const commands = [...before.map((request) => curl(request, publicUrl, "-s")), curl(main, publicUrl, "-i")];
  const text = commands.join("\n");
  const variables = Object.values(hidden).filter((name) => text.includes(`$${name}`));
  const given = variables.map((name) => `${name}='paste the ${name.toLowerCase().replaceAll("_", " ")} here'\n`);
  return given.join("") + text;
}

function curl(request: ExampleRequest, publicUrl: string, flag: "-s" | "-i"): string {
  const { as, method, path, headers = {}, body, times = 1, atOnce } = request;
  const impliedMethod = body === undefined ? "GET" : "POST";
  const authorization = as === "nobody" ? {} : { authorization: `Bearer {{${as}.token}}` };
  const parts = [
    `curl ${flag}${method === impliedMethod ? "" : ` -X ${method}`} ${word(publicUrl + path)}`,
    ...Object.entries({ ...authorization, ...headers }).map(([name, value]) => `-H ${word(`${name}: ${value}`)}`),
    ...(body === undefined ? [] : [`-d ${word(body)}`]),
  ];
  const command = parts.join(" \\\n  ");
  if (flag === "-s" && as === "user" && path === "/auth/refresh") {
    return `TOKEN=$(${command} |\n  sed -E 's/.*"token":"([^"]+)".*/\\1/')`;
  }
  if (times === 1) return command;
  const [goOn, end] = atOnce ? [" &", "\nwait"] : ["", ""];
  return `for n in $(seq ${times}); do\n  ${command.replaceAll("\n", "\n  ")}${goOn}\ndone${end}`;
}

/** One word of a shell command. What is in a variable needs double quotes; all else is safest in single ones. */
function word(text: string): string {
  const parts = text
    .split(/\{\{([\w.-]+)\}\}/)
    .map((part, index) => (index % 2 === 0 ? { text: part } : reference(part)));
  if (parts.every((part) => "text" in part)) {
    const plain = parts.map((part) => part.text).join("");
    return /^[\w./:%@?=-]+$/.test(plain) && !plain.includes("?")
      ? plain
      : `'${plain.replaceAll("'", String.raw`'\''`)}'`;
  }
  const inside = parts.map((part) => ("text" in part ? part.text.replaceAll(/["\\$`]/g, String.raw`\$&`) : part.shell));
  return `"${inside.join("")}"`;
}

function reference(path: string): { readonly text: string } | { readonly shell: string } {
  const letters = /^letters\.(\d+)$/.exec(path)?.[1];
  if (letters !== undefined) return { shell: String.raw`$(head -c ${letters} /dev/zero | tr '\0' a)` };
  const variable = hidden[path];
  return variable === undefined ? { text: shown[path] ?? "" } : { shell: `$${variable}` };
}
