import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { connect } from "node:net";
import { sql } from "kysely";
import type { ExampleRequest, ProblemEntry } from "../../src/contract/problem-entry.ts";
import { problems, type ProblemCode } from "../../src/contract/problems.ts";
import { exampleCast } from "../../src/features/guide/example-text.ts";
import type { MadeExample, MadeExamples, MadeRequest } from "../../src/features/guide/made-examples.ts";
import { fillIn } from "../../web/learn/chapter-run.ts";
import { problemScenes, type Scene } from "./problem-scenes.ts";
import { openReadOnlyWindow } from "./read-only.ts";
import { createTestServer, type TestServer } from "./test-server.ts";

/** Whose requests an example sends, as its references name them. */
type Cast = { user: Record<string, string>; administrator: Record<string, string> };

/** The headers that an example shows: what every answer carries for safety's sake would drown them. */
const shownHeaders = ["content-type", "www-authenticate", "allow", "retry-after", "ratelimit-policy", "ratelimit"];
const defaultLimits = {
  LIMIT_SIGN_UP: "",
  LIMIT_LOGIN_ADDRESS: "",
  LIMIT_LOGIN_ACCOUNT: "",
  LIMIT_MAIL_ADDRESS: "",
  LIMIT_MAIL_ACCOUNT: "",
  LIMIT_MAIL_PROOF: "",
  LIMIT_REFRESH: "",
  LIMIT_API: "",
};

/**
 * Sends the example of every problem to a server in which nothing has happened yet and keeps what came back; whatever
 * differs from run to run is made the same. Throws when an answer is not the problem that it should be.
 */
export async function makeExamples(): Promise<MadeExamples> {
  const codes = Object.keys(problems) as ProblemCode[];
  // Those with a scene have a server of their own, beside the others: one of them has to wait for Node's clock.
  const ofOwn = codes
    .filter((code) => problemScenes[code] !== undefined)
    .map(async (code) => [code, await makeInScene(code)] as const);
  const made = new Map<ProblemCode, MadeExample>();
  try {
    const server = await createTestServer(defaultLimits);
    for (const code of codes) {
      if (problemScenes[code] !== undefined) continue;
      made.set(code, await play(server, code));
      await forgetAll(server);
    }
    await server.close();
  } finally {
    // Whatever fails: a server that is closed in the middle of its scene may wait for ever.
    await Promise.allSettled(ofOwn);
  }
  for (const [code, example] of await Promise.all(ofOwn)) made.set(code, example);
  return Object.fromEntries(codes.map((code) => [code, made.get(code)])) as MadeExamples;
}

async function makeInScene(code: ProblemCode): Promise<MadeExample> {
  const scene = problemScenes[code];
  const server = await createTestServer({ ...defaultLimits, ...scene?.env }, scene?.parts);
  try {
    return await play(server, code, scene);
  } finally {
    await server.close();
  }
}

/** The next example finds the server as if it had just been started. */
export async function forgetAll({ platform, clock }: TestServer): Promise<void> {
  const { db, switches } = platform;
  switches?.outage.end();
  switches?.clock.reset();
  await db.deleteFrom("accounts").execute();
  await db.deleteFrom("account_words").execute();
  await db.deleteFrom("idempotent_answers").execute();
  await sql`delete from sqlite_sequence`.execute(db); // Numbers begin at 1 again.
  clock.advance(3_600_000); // No window is longer.
}

async function play(server: TestServer, code: ProblemCode, scene: Scene = {}): Promise<MadeExample> {
  const { example }: ProblemEntry = problems[code];
  const { before = [], ...main } = example;
  const cast = await hire(server);
  const stable = (text: string): string => withoutChance(text, cast);
  const sentBefore: MadeExample["before"][number][] = [];
  for (const request of before) {
    const filled = filledIn(request, cast);
    const { status, text } = await send(server, filled);
    if (status >= 400) throw new Error(`The example of ${code}: ${request.method} ${request.path} answered ${text}`);
    sentBefore.push({ request: shown(filled, stable), status });
    const { token } = text === "" ? {} : (JSON.parse(text) as { token?: string });
    if (token !== undefined && request.as !== "nobody") cast[request.as]["token"] = token;
  }
  if (scene.readOnly) await openReadOnlyWindow(server.platform.db);
  const filled = filledIn(main, cast);
  const times = main.times ?? 1;
  const answers: RawAnswer[] = [];
  const letGo = await holdOpen(server, filled, scene.heldOpen ?? 0);
  if (scene.overSocket) answers.push(await sendOverSocket(server, filled));
  else if (main.atOnce) answers.push(...(await Promise.all(Array.from({ length: times }, () => send(server, filled)))));
  else for (let time = 0; time < times; time += 1) answers.push(await send(server, filled));
  letGo();
  const got = main.atOnce ? answers.find(({ text }) => codeOf(text) === code) : answers.at(-1);
  if (got === undefined || codeOf(got.text) !== code) {
    const texts = answers.map(({ text }) => text).join("\n");
    throw new Error(`The example of ${code} in the catalogue is answered otherwise:\n${texts}`);
  }
  const headers = shownHeaders.flatMap((name) => (got.headers[name] === undefined ? [] : [[name, got.headers[name]]]));
  return {
    before: sentBefore,
    request: shown(filled, stable),
    answer: {
      status: got.status,
      headers: Object.fromEntries(headers) as Record<string, string>,
      body: JSON.parse(stable(got.text)) as Record<string, unknown>,
    },
  };
}

/** The accounts that the examples speak of: the first two of a server. */
export async function hire(server: TestServer): Promise<Cast> {
  const { email, password } = exampleCast.user;
  const { body, headers } = await server.request("POST", "/users/", { body: { email, password } });
  const {
    id,
    email: adminEmail,
    password: adminPassword,
    token,
  } = await server.administrator(exampleCast.administrator.email);
  return {
    user: {
      id: headers["location"]?.split("/").at(-1) ?? "",
      email,
      password,
      token: String(body["token"]),
      refresh_token: String(body["refresh_token"]),
    },
    administrator: { id: String(id), email: adminEmail, password: adminPassword, token },
  };
}

/** The request as it is sent. */
function filledIn({ as, method, path, headers = {}, body }: ExampleRequest, cast: Cast): MadeRequest {
  const letters = { "17000": "a".repeat(17_000), "70000": "a".repeat(70_000) };
  const filled = fillIn(
    { method, path, headers, ...(body === undefined ? {} : { body }) },
    { ...cast, random: exampleCast.random, letters },
  );
  const authorization = as === "nobody" ? {} : { authorization: `Bearer ${cast[as]["token"] ?? ""}` };
  return { ...filled, headers: { host: "localhost:8000", ...authorization, ...filled.headers } };
}

type RawAnswer = { readonly status: number; readonly headers: Readonly<Record<string, string>>; readonly text: string };

async function send(server: TestServer, { method, path, headers, body }: MadeRequest): Promise<RawAnswer> {
  const raw = body === undefined ? {} : { raw: { text: body } };
  return server.request(method, path, { headers, address: "127.0.0.1", ...raw });
}

/** Sends a request over and over and reads no answer to its end. Returns what ends them all. */
async function holdOpen(
  { app }: TestServer,
  { method, path, headers }: MadeRequest,
  times: number,
): Promise<() => void> {
  const leave = new AbortController();
  const url = times === 0 ? "" : await app.listen({ host: "127.0.0.1", port: 0 });
  // Held on to: what is collected as garbage is given up, and its connection closed.
  const answers: Response[] = [];
  while (answers.length < times) answers.push(await fetch(url + path, { method, headers, signal: leave.signal }));
  return () => {
    leave.abort();
    answers.length = 0;
  };
}

async function sendOverSocket(
  { app }: TestServer,
  { method, path, headers, body = "" }: MadeRequest,
): Promise<RawAnswer> {
  await app.listen({ host: "127.0.0.1", port: 0 });
  Object.assign(app.server, { requestTimeout: 1, headersTimeout: 1 });
  const socket = connect((app.server.address() as AddressInfo).port, "127.0.0.1");
  let text = "";
  socket.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.write(`${method} ${path} HTTP/1.1\r\n${lines.join("")}\r\n${body}`);
  await once(socket, "close");
  const [head = "", answer = ""] = text.split("\r\n\r\n");
  const fields = head
    .split("\r\n")
    .slice(1)
    .map((line) => [line.split(": ")[0], line.split(": ")[1]]);
  return {
    status: Number(head.slice(9, 12)),
    headers: Object.fromEntries(fields) as Record<string, string>,
    text: answer,
  };
}

function codeOf(text: string): unknown {
  if (text === "") return undefined;
  return (JSON.parse(text) as { code?: unknown }).code;
}

function shown({ headers, body, ...request }: MadeRequest, stable: (text: string) => string): MadeRequest {
  const stableHeaders = Object.entries(headers).map(([name, value]) => [name, stable(value)]);
  return {
    ...request,
    path: stable(request.path),
    headers: Object.fromEntries(stableHeaders) as Record<string, string>,
    ...(body === undefined ? {} : { body: stable(body) }),
  };
}

function withoutChance(text: string, { user, administrator }: Cast): string {
  const secrets: readonly (readonly [string | undefined, string])[] = [
    [user["token"], "<token>"],
    [user["refresh_token"], "<refresh token>"],
    [administrator["token"], "<an administrator's token>"],
  ];
  let stable = text;
  for (const [secret, word] of secrets) {
    if (secret) stable = stable.replaceAll(secret, word).replaceAll(encodeURIComponent(secret), word);
  }
  return stable
    .replaceAll(/a{100,}/g, (letters) => `aaaaaaaa… (${letters.length} in all)`)
    .replaceAll(/"key_id":"[\w-]{43}"/g, '"key_id":"R8tOFWg91O3el3lAiYQfc1btm4jdqkC1P8Aw_HL0vkU"')
    .replaceAll(/"request_id":"[0-9a-f-]{36}"/g, '"request_id":"0b0f1c5e-7c53-4a0e-9d0f-2f1f3c1a9e55"');
}
