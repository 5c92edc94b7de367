/**
 * Reads a chapter of docs/learn: Markdown with a few lines of front matter, in which some fenced blocks are requests
 * that can be run. The page and the test both read chapters through here, so what the test saw is what the page does.
 *
 * Pure: no DOM, no Node.js. What a request and an expectation mean is in chapter-run.ts.
 */

/** Who sends a request: nobody, or a throw-away account of that role. */
export const senders = ["nobody", "user", "administrator"] as const;
export type Sender = (typeof senders)[number];

export type ChapterRequest = {
  readonly method: string;
  readonly path: string;
  /** As they are written. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
};

/** What the answer must have; it may have more. */
export type Expectation = {
  readonly status: number;
  /** Lower-case name → pattern. */
  readonly headers: Readonly<Record<string, string>>;
  readonly members: Readonly<Record<string, unknown>>;
};

export type MarkdownPart = { readonly kind: "markdown"; readonly text: string };

export type RunPart = {
  readonly kind: "run";
  /** `run-1`, `run-2`, … in the order of the chapter. */
  readonly id: string;
  /** Later steps may refer to the answer by it. */
  readonly name?: string;
  readonly as: Sender;
  /** How often the request is sent; the last answer is the one that is expected. */
  readonly times: number;
  readonly request: ChapterRequest;
  readonly expect: Expectation;
};

export type ChapterPart = MarkdownPart | RunPart;

export type Chapter = {
  readonly title: string;
  /** One sentence, for lists. */
  readonly summary: string;
  readonly minutes: number;
  readonly parts: readonly ChapterPart[];
};

/** A chapter that cannot be read. The message is a sentence that begins with the line. */
export class ChapterError extends Error {
  override readonly name = "ChapterError";
  constructor(line: number, what: string) {
    super(`line ${line}: ${what}`);
  }
}

/** Names that always stand for something; a step cannot have one of them. */
const reservedNames: readonly string[] = ["user", "other", "administrator", "token", "random"];

/** What stands between the braces of `{{user.id}}`. */
export const referencePattern = /\{\{([A-Za-z0-9_.-]+)\}\}/g;

const timesMax = 20;

type Line = { readonly number: number; readonly text: string };
type Fence = { readonly at: number; readonly info: string; readonly lines: readonly Line[] };

/** @throws ChapterError */
export function parseChapter(source: string): Chapter {
  const lines = source
    .replaceAll("\r\n", "\n")
    .split("\n")
    .map((text, index) => ({ number: index + 1, text }));
  const { members, rest } = takeFrontMatter(lines);
  return { ...readFrontMatter(members), parts: readParts(rest) };
}

function takeFrontMatter(lines: readonly Line[]): { members: readonly Line[]; rest: readonly Line[] } {
  const end = lines.findIndex(({ text }, index) => index > 0 && text === "---");
  if (lines[0]?.text !== "---" || end === -1) {
    throw new ChapterError(1, "a chapter begins with front matter between two lines of ---");
  }
  return { members: lines.slice(1, end), rest: lines.slice(end + 1) };
}

function readFrontMatter(lines: readonly Line[]): Pick<Chapter, "title" | "summary" | "minutes"> {
  const members = new Map<string, string>();
  for (const { number, text } of lines) {
    const [, name = "", value = ""] = /^([a-z]+): *(.*\S)\s*$/.exec(text) ?? [];
    if (!["title", "summary", "minutes"].includes(name) || members.has(name)) {
      throw new ChapterError(number, "front matter has title, summary and minutes, each once, as `name: value`");
    }
    members.set(name, value);
  }
  const [title = "", summary = "", minutes = ""] = ["title", "summary", "minutes"].map((name) => members.get(name));
  if (title === "" || summary === "" || !/^[1-9][0-9]?$/.test(minutes)) {
    throw new ChapterError(1, "front matter needs title, summary and minutes (1 to 99)");
  }
  return { title, summary, minutes: Number(minutes) };
}

function readParts(lines: readonly Line[]): readonly ChapterPart[] {
  const parts: ChapterPart[] = [];
  const known = new Set(reservedNames);
  let text: string[] = [];
  const endMarkdown = (): void => {
    if (text.some((line) => line.trim() !== "")) parts.push({ kind: "markdown", text: text.join("\n").trim() });
    text = [];
  };
  for (let index = 0; index < lines.length;) {
    const fence = readFence(lines, index);
    const size = fence === undefined ? 1 : fence.lines.length + 2;
    if (fence !== undefined && isOf(fence.info, "expect")) {
      throw new ChapterError(fence.at, "an expect block stands directly after an http run block");
    }
    if (fence === undefined || !isOf(fence.info, "http run")) {
      text.push(...lines.slice(index, index + size).map((line) => line.text));
      index += size;
      continue;
    }
    endMarkdown();
    const expected = readFence(lines, index + size);
    if (expected === undefined || !isOf(expected.info, "expect")) {
      throw new ChapterError(fence.at, "after an http run block comes an expect block, with nothing between");
    }
    const count = parts.filter(({ kind }) => kind === "run").length + 1;
    parts.push(readRun(`run-${count}`, fence, expected, known));
    index += size + expected.lines.length + 2;
  }
  endMarkdown();
  return parts;
}

function isOf(info: string, kind: string): boolean {
  return info === kind || info.startsWith(`${kind} `);
}

/** The fenced block that begins at this line, if one does. */
function readFence(lines: readonly Line[], from: number): Fence | undefined {
  const [, mark = "", info = ""] = /^(`{3,}|~{3,})\s*([^`]*?)\s*$/.exec(lines[from]?.text ?? "") ?? [];
  const at = lines[from]?.number ?? 0;
  if (mark === "") return undefined;
  const isEnd = ({ text }: Line): boolean => text.startsWith(mark) && /^(`+|~+)\s*$/.test(text);
  const length = lines.slice(from + 1).findIndex(isEnd);
  if (length === -1) throw new ChapterError(at, "this fenced block has no end");
  return { at, info, lines: lines.slice(from + 1, from + 1 + length) };
}

function readRun(id: string, fence: Fence, expected: Fence, known: Set<string>): RunPart {
  const { as, times, name } = readAttributes(fence, known);
  const request = readRequest(fence);
  const expect = readExpectation(expected);
  requireKnown(fence, known);
  if (name !== undefined) known.add(name);
  requireKnown(expected, known);
  return { kind: "run", id, ...(name === undefined ? {} : { name }), as, times, request, expect };
}

function readAttributes(
  { at, info }: Fence,
  known: ReadonlySet<string>,
): { readonly as: Sender; readonly times: number; readonly name: string | undefined } {
  const attributes = new Map<string, string>();
  for (const word of info.split(/\s+/).slice(2)) {
    const [, key = "", value = ""] = /^(as|name|times)=([\w-]+)$/.exec(word) ?? [];
    if (key === "" || attributes.has(key)) throw new ChapterError(at, `${word}: attributes are as=, name= and times=`);
    attributes.set(key, value);
  }
  const as = senders.find((sender) => sender === (attributes.get("as") ?? "nobody"));
  if (as === undefined) throw new ChapterError(at, `as= is one of ${senders.join(", ")}`);
  const times = Number(attributes.get("times") ?? "1");
  if (!Number.isInteger(times) || times < 1 || times > timesMax) {
    throw new ChapterError(at, `times= is a whole number from 1 to ${timesMax}`);
  }
  const name = attributes.get("name");
  if (name !== undefined && known.has(name)) throw new ChapterError(at, `name=${name} is taken`);
  return { as, times, name };
}

function requireKnown({ lines }: Fence, known: ReadonlySet<string>): void {
  for (const { number, text } of lines) {
    for (const [whole, path = ""] of text.matchAll(referencePattern)) {
      if (!known.has(path.split(".")[0] ?? ""))
        throw new ChapterError(number, `nothing before has the name of ${whole}`);
    }
  }
}

function readRequest({ at, lines }: Fence): ChapterRequest {
  const [start, ...others] = lines;
  const [, method = "", path = ""] = /^([A-Z]+) (\/\S*)$/.exec(start?.text ?? "") ?? [];
  if (method === "") throw new ChapterError(at + 1, "a request begins with a method and a path, as GET /users/me");
  const blank = others.findIndex(({ text }) => text === "");
  const headers = readHeaders(blank === -1 ? others : others.slice(0, blank));
  if (blank === -1) return { method, path, headers };
  const body = others
    .slice(blank + 1)
    .map(({ text }) => text)
    .join("\n");
  return { method, path, headers, body };
}

function readHeaders(lines: readonly Line[]): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const { number, text } of lines) {
    const [, name = "", value = ""] = /^([A-Za-z0-9-]+): *(.*\S)\s*$/.exec(text) ?? [];
    if (name === "") throw new ChapterError(number, "a header is written `Name: value`; a body follows an empty line");
    headers[name] = value;
  }
  return headers;
}

function readExpectation({ at, lines }: Fence): Expectation {
  const [start, ...others] = lines;
  if (!/^[1-5][0-9]{2}$/.test(start?.text ?? ""))
    throw new ChapterError(at + 1, "an expect block begins with a status");
  const json = others.findIndex(({ text }) => text.startsWith("{"));
  const headers: Record<string, string> = {};
  for (const [name, pattern] of Object.entries(readHeaders(json === -1 ? others : others.slice(0, json)))) {
    headers[name.toLowerCase()] = pattern;
  }
  return { status: Number(start?.text), headers, members: json === -1 ? {} : readMembers(others.slice(json)) };
}

function readMembers(lines: readonly Line[]): Readonly<Record<string, unknown>> {
  try {
    // It begins with a brace, so what can be read is an object.
    return JSON.parse(lines.map(({ text }) => text).join("\n")) as Record<string, unknown>;
  } catch {
    throw new ChapterError(lines[0]?.number ?? 0, "the expected members are a JSON object");
  }
}
