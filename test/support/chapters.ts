import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { limitNames, limits } from "../../src/contract/limits.ts";
import { parseChapter, type Chapter, type RunPart, type Sender } from "../../web/learn/chapter-format.ts";
import { fillIn, namesIn, valuesOf, type ChapterAnswer } from "../../web/learn/chapter-run.ts";
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
  readonly run: (
    step: RunPart,
  ) => Promise<{ readonly answer: ChapterAnswer; readonly values: Record<string, unknown> }>;
};

/** A server with the limits that a fresh one has, and the accounts that steps ask for. */
export async function createChapterRunner(): Promise<ChapterRunner> {
  const server = await createTestServer(defaultLimits());
  const values: Record<string, unknown> = {};
  let count = 0;
  const account = async (role: "user" | "other" | "administrator"): Promise<Record<string, unknown>> => {
    const known = values[role];
    if (known !== undefined) return known as Record<string, unknown>;
    const made = await makeAccount(server, role);
    values[role] = made;
    return made;
  };
  return {
    server,
    run: async (step) => {
      const names = new Set([...namesIn(step.request), ...namesIn(step.expect)]);
      for (const role of ["user", "other", "administrator"] as const) if (names.has(role)) await account(role);
      if (names.has("token")) values["token"] = (await account("user"))["token"];
      let answer: ChapterAnswer | undefined;
      for (let time = 0; time < step.times; time += 1) {
        if (time === 0) values["random"] = `r${(count += 1)}`;
        const request = fillIn(step.request, values);
        const token = step.as === "nobody" ? undefined : (await account(senderRole(step.as)))["token"];
        answer = await send(server, request, typeof token === "string" ? token : undefined);
        if (step.name !== undefined) values[step.name] = valuesOf(request, answer);
      }
      if (answer === undefined) throw new Error("A step is sent at least once.");
      return { answer, values };
    },
  };
}

function senderRole(sender: Exclude<Sender, "nobody">): "user" | "administrator" {
  return sender;
}

function defaultLimits(): Record<string, string> {
  return Object.fromEntries(
    limitNames.map((name) => [
      `LIMIT_${name.toUpperCase().replaceAll("-", "_")}`,
      `${limits[name].quota}/${limits[name].windowSeconds}s`,
    ]),
  );
}

async function makeAccount(
  server: TestServer,
  role: "user" | "other" | "administrator",
): Promise<Record<string, unknown>> {
  if (role === "administrator") {
    const { id, email, password, token } = await server.administrator("administrator@example.com");
    return { id, email, password, token };
  }
  const [email, password] = [`${role}@example.com`, "correct horse battery staple"];
  const { headers, body } = await server.request("POST", "/users/", { body: { email, password } });
  const id = Number(headers["location"]?.split("/").at(-1));
  return { id, email, password, token: body["token"], refresh_token: body["refresh_token"] };
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
