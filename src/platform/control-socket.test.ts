import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { pino } from "pino";
import { readConfig } from "../config.ts";
import { askRunningServers, openControlSocket } from "./control-socket.ts";
import { type Decision, createMemoryDecisionLog } from "./http/decisions.ts";

const decision: Decision = {
  requestId: "request-1",
  at: 0,
  method: "GET",
  path: "/users/me",
  status: 401,
  decidedBy: "authenticate",
  code: "token-missing",
  accountId: null,
  address: "127.0.0.1",
  gates: [{ gate: "route", outcome: "passed", saw: "GET /users/me", durationMilliseconds: 0.1 }],
};

function temporaryDirectory(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), "tollgate-control-"));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

async function open(t: TestContext, directory: string) {
  const reading = readConfig({ DATABASE_URL: `sqlite:${directory}/tollgate.db` });
  assert.ok(reading.ok);
  const warnings: string[] = [];
  const log = pino({ level: "warn" }, { write: (line) => void warnings.push(line) });
  const decisions = createMemoryDecisionLog(10);
  decisions.record(decision);
  const socket = await openControlSocket({ config: reading.config, decisions, log });
  t.after(() => socket?.close());
  return { socket, warnings, path: join(directory, `control-${process.pid}.sock`) };
}

test("a server tells what it remembers and where the page is, and null for what it does not", async (t) => {
  const directory = temporaryDirectory(t);
  await open(t, directory);
  const page = "http://localhost:8000/errors/token-missing";
  assert.deepEqual(await askRunningServers(directory, { ask: "why", requestId: "request-1" }), [
    { decision: { ...decision, number: 1 }, page },
  ]);
  const unknown = await askRunningServers(directory, { ask: "why", requestId: "request-2" });
  assert.deepEqual(unknown, [{ decision: null, page: null }]);
});

test("only its owner may knock, and a closed door leaves nothing behind", async (t) => {
  const directory = temporaryDirectory(t);
  const { socket, path } = await open(t, directory);
  assert.equal(statSync(path).mode & 0o777, 0o600);
  await socket?.close();
  assert.deepEqual(readdirSync(directory), []);
  assert.deepEqual(await askRunningServers(directory, { ask: "why", requestId: "request-1" }), []);
});

test("the socket of a killed server is removed at the next start, other files are not", async (t) => {
  const directory = temporaryDirectory(t);
  const stale = join(directory, "control-1.sock");
  const source = `require("node:net").createServer().listen(${JSON.stringify(stale)}, () => process.kill(process.pid, 9))`;
  assert.throws(() => execFileSync(process.execPath, ["--eval", source]));
  writeFileSync(join(directory, "control-x.sock"), "");
  assert.deepEqual(await askRunningServers(directory, { ask: "why", requestId: "request-1" }), []);
  const { path } = await open(t, directory);
  assert.deepEqual(readdirSync(directory).toSorted(), [`control-${process.pid}.sock`, "control-x.sock"].toSorted());
  assert.ok(statSync(path).isSocket());
});

test("a path that is too long is a warning, not an end", async (t) => {
  const directory = join(temporaryDirectory(t), "x".repeat(100));
  mkdirSync(directory);
  const { socket, warnings } = await open(t, directory);
  assert.equal(socket, undefined);
  assert.equal(warnings.length, 1);
  assert.match(warnings[0] ?? "", /longer than 100 bytes/);
});

test("nonsense, or a line without end, is cut off, and the next one is served", async (t) => {
  const directory = temporaryDirectory(t);
  const { path, warnings } = await open(t, directory);
  const bad = [
    "\n",
    "null\n",
    "{}\n",
    '{"ask":"why"}\n',
    '{"ask":"why","requestId":1}\n',
    "\u0000\n",
    "x".repeat(100_000),
  ];
  for (const text of bad) {
    const socket = connect(path, () => socket.write(text));
    const received: Buffer[] = [];
    socket.on("data", (chunk: Buffer) => received.push(chunk)).on("error", () => undefined);
    const { promise: closed, resolve } = Promise.withResolvers<void>();
    socket.on("close", () => resolve());
    await closed;
    assert.equal(Buffer.concat(received).length, 0, text.slice(0, 40));
  }
  assert.equal((await askRunningServers(directory, { ask: "why", requestId: "request-1" })).length, 1);
  assert.deepEqual(warnings, []);
});
