import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { limitNames, limits } from "../../src/contract/limits.ts";
import { parseChapter, type Chapter, type RunPart } from "../../web/learn/chapter-format.ts";
import {
  accountValues,
  fillIn,
  namesIn,
  throwawayRoles,
  valuesOf,
  type ChapterAnswer,
  type ChapterValues,
  type ThrowawayName,
} from "../../web/learn/chapter-run.ts";
import { createTestServer, type Answer, type TestServer } from "./test-server.ts";

const folder = join(import.meta.dirname, "../../docs/learn");

export type ChapterFile = { readonly file: string; readonly source: string; readonly chapter: Chapter };

/** Every chapter of docs/learn, in order. */
export function readChapters(): readonly ChapterFile[] {
  return readdirSync(folder)
    .filter((file) => /^[0-9]{2}-[a-z-]+\.md$/.test(file))
    .sort()
    .map((file) => {
      const source = readFileSync(join(folder, file), "utf8");
      return { file, source, chapter: parseChapter(source) };
    });
}

export type ChapterRunner = {
  readonly server: TestServer;
  /** Runs a step as a page does. Returns its last answer, and what its references stood for. */
  readonly run: (step: RunPart) => Promise<{ readonly answer: ChapterAnswer; readonly values: ChapterValues }>;
};

/** A server with the limits that a fresh one has, and the accounts that steps ask for. */
export async function createChapterRunner(): Promise<ChapterRunner> {
  const server = await createTestServer(defaultLimits());
  const values: Record<string, unknown> = {};
  let count = 0;
  const account = async (name: ThrowawayName): Promise<ChapterValues> => {
    values[name] ??= await makeAccount(server, name);
    return values[name] as ChapterValues;
  };
  return {
    server,
    run: async (step) => {
      const names = new Set<string>([...namesIn(step.request), ...namesIn(step.expect), step.as]);
      for (const name of throwawayNames) if (names.has(name)) await account(name);
      if (names.has("token")) values["token"] = (await account("user"))["token"];
      values["random"] = `r${(count += 1)}`;
      const token = step.as === "nobody" ? undefined : String((await account(step.as))["token"]);
      const request = fillIn(step.request, values);
      let answer = await send(server, request, token);
      for (let time = 1; time < step.times; time += 1) answer = await send(server, request, token);
      if (step.name !== undefined) values[step.name] = valuesOf(request, answer);
      return { answer, values };
    },
  };
}

const throwawayNames = Object.keys(throwawayRoles) as ThrowawayName[];

function defaultLimits(): Record<string, string> {
  return Object.fromEntries(
    limitNames.map((name) => [
      `LIMIT_${name.toUpperCase().replaceAll("-", "_")}`,
      `${limits[name].quota}/${limits[name].windowSeconds}s`,
    ]),
  );
}

async function makeAccount(server: TestServer, name: ThrowawayName): Promise<ChapterValues> {
  const { status, body, text } = await server.request("POST", "/dev/accounts", {
    address: "127.0.0.1",
    body: throwawayRoles[name],
  });
  assert.equal(status, 201, text);
  return accountValues(body as Parameters<typeof accountValues>[0]);
}

async function send(
  server: TestServer,
  { method, path, headers, body }: RunPart["request"],
  token: string | undefined,
): Promise<ChapterAnswer> {
  const lower = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
  const answer = await server.request(method, path, {
    headers: lower,
    ...(body === undefined ? {} : { raw: { text: body } }),
    // A header that is written in the step says itself who is asking.
    token: lower["authorization"] === undefined ? token : undefined,
  });
  return asChapterAnswer(answer);
}

function asChapterAnswer({ status, headers, text, body }: Answer): ChapterAnswer {
  return { status, header: (name) => headers[name], body: text === "" ? undefined : body };
}
