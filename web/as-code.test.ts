import assert from "node:assert/strict";
import { execFile, spawnSync } from "node:child_process";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { text } from "node:stream/consumers";
import { promisify } from "node:util";
import { asCurl, asFetch, asPython, type CodeRequest } from "./as-code.ts";

const run = promisify(execFile);
/** Python need not be there: it is no part of Tollgate. */
const hasPython = spawnSync("python3", ["--version"]).status === 0;
const runners: Readonly<Record<string, (request: CodeRequest) => Promise<{ readonly stdout: string }>>> = {
  curl: async (request) => run("sh", ["-c", asCurl(request)]),
  fetch: async (request) => run(process.execPath, ["--input-type=module", "-e", asFetch(request)]),
  ...(hasPython ? { python: async (request: CodeRequest) => run("python3", ["-c", asPython(request)]) } : {}),
};

test("Python's code is written also where no Python can try it", () => {
  const code = asPython({ method: "POST", url: "http://localhost/", headers: [["a", 'b"']], body: "{}" });
  assert.match(code, /method="POST"/);
  assert.match(code, /"a": "b\\""/);
});

test("a request as curl, fetch and Python is sent as it was, whatever is in it", async (t) => {
  const seen: unknown[] = [];
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { method, url, headers } = request;
    seen.push({ method, url, odd: headers["x-odd"], type: headers["content-type"], body: await text(request) });
    response.writeHead(422).end("refused");
  };
  const server = createServer((request, response) => void answer(request, response)).listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  const odd = `it's "quoted" $HOME \`id\` \\ end`;
  const body = JSON.stringify({ email: "o'neil@example.com", note: `${odd}\nü 🙂` });
  const request = { method: "PATCH", url: `http://127.0.0.1:${port}/a?b=c&d='e'`, headers: headersOf(odd), body };
  const sent = { method: "PATCH", url: "/a?b=c&d='e'", odd, type: "application/json", body };
  for (const [name, runIt] of Object.entries(runners)) {
    const { stdout } = await runIt(request);
    assert.match(stdout, /422/, name);
    assert.match(stdout, /refused/, name);
    assert.deepEqual(seen.splice(0), [name === "fetch" ? { ...sent, url: "/a?b=c&d=%27e%27" } : sent], name);
  }
  const plain = { method: "GET", url: `http://127.0.0.1:${port}/`, headers: [], body: undefined };
  for (const [name, runIt] of Object.entries(runners)) {
    await runIt(plain);
    assert.equal((seen.splice(0)[0] as { method: string }).method, "GET", name);
  }
});

function headersOf(odd: string): CodeRequest["headers"] {
  return [
    ["content-type", "application/json"],
    ["x-odd", odd],
  ];
}
