/**
 * What the run steps of a chapter mean: how `{{references}}` are filled in, and what an answer must have.
 *
 * Pure, as chapter-format.ts: whoever runs a step sends the request and keeps the values.
 */
import { referencePattern, type ChapterRequest, type Expectation } from "./chapter-format.ts";

/**
 * What references can name. `user`, `other` and `administrator` are throw-away accounts (`accountValues`); `token` is that of the user; `random` is a new text for each step; a step's name is its
 * answer's body, with the body that was sent as `sent`.
 */
export type ChapterValues = Readonly<Record<string, unknown>>;

export type ChapterAnswer = {
  readonly status: number;
  /** By its lower-case name; null or undefined when there is none. */
  readonly header: (name: string) => string | null | undefined;
  /** The body as JSON; undefined when it is none. */
  readonly body: unknown;
};

const anything = "…";

/** The kinds of account that steps can ask for, each with the body of the `POST /dev/accounts` that makes one. */
export const throwawayRoles = {
  user: { role: "user" },
  other: { role: "user" },
  administrator: { role: "admin" },
} as const;

export type ThrowawayName = keyof typeof throwawayRoles;

/** What references find in a throw-away account, from the answer of `POST /dev/accounts`. */
export function accountValues(body: {
  readonly user: { readonly id: number; readonly email: string };
  readonly password: string;
  readonly token: string;
  readonly refresh_token?: string;
}): ChapterValues {
  const { user, password, token, refresh_token: refreshToken = "" } = body;
  return { id: user.id, email: user.email, password, token, refresh_token: refreshToken };
}

/** The first names of all references in a request or an expectation: tells which accounts a step needs. */
export function namesIn(part: ChapterRequest | Expectation): ReadonlySet<string> {
  const matches = JSON.stringify(part).matchAll(referencePattern);
  return new Set([...matches].map(([, path = ""]) => path.split(".")[0] ?? ""));
}

/** The request with its references filled in: escaped in the path and in the body, as they are in headers. */
export function fillIn(request: ChapterRequest, values: ChapterValues): ChapterRequest {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(request.headers)) headers[name] = fillText(value, values, (text) => text);
  return {
    method: request.method,
    path: fillText(request.path, values, encodeURIComponent),
    headers,
    ...(request.body === undefined ? {} : { body: fillText(request.body, values, escapeJson) }),
  };
}

/** What a named step's references will find: the members of its answer, and what was sent. */
export function valuesOf(request: ChapterRequest, answer: ChapterAnswer): Readonly<Record<string, unknown>> {
  return { ...(isObject(answer.body) ? answer.body : {}), sent: request.body === undefined ? {} : parse(request.body) };
}

/** Everything in which an answer is not as expected, each as a sentence; empty when all is well. */
export function differences(expect: Expectation, answer: ChapterAnswer, values: ChapterValues): readonly string[] {
  const found: string[] = [];
  if (answer.status !== expect.status) found.push(`The status is ${answer.status}, not ${expect.status}.`);
  for (const [name, pattern] of Object.entries(expect.headers)) {
    const value = answer.header(name);
    if (value === null || value === undefined) found.push(`The header ${name} is missing.`);
    else if (
      !isText(
        fillText(pattern, values, (text) => text),
        value,
      )
    ) {
      found.push(`The header ${name} is "${value}", not "${pattern}".`);
    }
  }
  compare(expect.members, answer.body, "", values, found);
  return found;
}

function compare(expected: unknown, actual: unknown, at: string, values: ChapterValues, found: string[]): void {
  if (expected === anything) return;
  const where = at === "" ? "The body" : at.slice(1);
  if (Array.isArray(expected)) {
    const isOpen = expected.at(-1) === anything;
    const items: readonly unknown[] = isOpen ? expected.slice(0, -1) : expected;
    const isLong = Array.isArray(actual) && (isOpen ? actual.length >= items.length : actual.length === items.length);
    if (!Array.isArray(actual) || !isLong) found.push(`${where} is ${show(actual)}, not ${show(expected)}.`);
    else for (const [index, item] of items.entries()) compare(item, actual[index], `${at}.${index}`, values, found);
    return;
  }
  if (isObject(expected)) {
    const members = Object.entries(expected);
    if (!isObject(actual)) {
      if (at !== "" || members.length > 0) found.push(`${where} is ${show(actual)}, not an object.`);
      return;
    }
    for (const [name, value] of members) {
      if (Object.hasOwn(actual, name)) compare(value, actual[name], `${at}.${name}`, values, found);
      else found.push(`${`${at}.${name}`.slice(1)} is missing.`);
    }
    return;
  }
  const filled = typeof expected === "string" ? fillText(expected, values, (text) => text) : expected;
  const isSame =
    typeof filled === "string" && (typeof actual === "string" || filled !== expected)
      ? isText(filled, String(actual))
      : filled === actual;
  if (!isSame) found.push(`${where} is ${show(actual)}, not ${show(filled)}.`);
}

/** Whether a text is as the pattern says; `…` in it stands for any text. */
function isText(pattern: string, text: string): boolean {
  const [first = "", ...rest] = pattern.split(anything);
  if (rest.length === 0) return pattern === text;
  const last = rest.pop() ?? "";
  if (!text.startsWith(first) || text.length < first.length + last.length || !text.endsWith(last)) return false;
  let from = first.length;
  for (const part of rest) {
    const found = text.indexOf(part, from);
    if (found === -1) return false;
    from = found + part.length;
  }
  return from <= text.length - last.length;
}

/** @throws Error for a reference that names nothing. */
function fillText(text: string, values: ChapterValues, escape: (value: string) => string): string {
  return text.replaceAll(referencePattern, (whole, path: string) => {
    let value: unknown = values;
    for (const name of path.split(".")) value = isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined;
    if (typeof value !== "string" && typeof value !== "number")
      throw new Error(`There is no ${whole} yet: run the step before.`);
    return escape(String(value));
  });
}

function escapeJson(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return {};
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function show(value: unknown): string {
  return value === undefined ? "nothing" : JSON.stringify(value);
}
