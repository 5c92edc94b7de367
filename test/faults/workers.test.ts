import assert from "node:assert/strict";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { Agent, type IncomingMessage, request as send } from "node:http";
import { createServer } from "node:net";
import { text } from "node:stream/consumers";
import { test, type TestContext } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { openRefusals } from "../support/decision-stream.ts";
import {
  freePort,
  runTollgate,
  type ServerProcess,
  startServer,
  temporaryDirectory,
} from "../support/server-process.ts";
import { isOnPostgres } from "../support/test-database.ts";

/** Several processes on one port: what is said to one of them holds for all, at once (issue 5, X18, X21). */
const workers = 3;
const alice = { email: "alice@example.com", password: "password" };
const pauseMilliseconds = 20;

type Reply = { readonly status: number; readonly body: Record<string, unknown>; readonly requestId: string };
type Options = { readonly method?: string; readonly body?: object; readonly token?: string | undefined };

/** On a connection of its own, which the primary process gives to the next worker. */
async function ask(port: number, path: string, { method = "GET", body, token }: Options = {}): Promise<Reply> {
  const headers = {
    ...(body === undefined ? {} : { "content-type": "application/json" }),
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
  };
  const sent = send({ host: "127.0.0.1", port, path, method, headers, agent: new Agent({ keepAlive: false }) });
  const [response] = (await once(sent.end(body && JSON.stringify(body)), "response")) as [IncomingMessage];
  const answer = await text(response);
  return {
    status: response.statusCode ?? 0,
    body: answer.startsWith("{") ? (JSON.parse(answer) as Record<string, unknown>) : {},
    requestId: String(response.headers["x-request-id"]),
  };
}

/** The same of every worker: as many at once as reach each of them, for they are given out in turn. */
async function askAll(port: number, path: string, options: Options = {}): Promise<Reply[]> {
  return Promise.all(Array.from({ length: 2 * workers }, () => ask(port, path, options)));
}

function statusesOf(replies: readonly Reply[]): number[] {
  return [...new Set(replies.map(({ status }) => status))];
}

/** Which workers have answered so far, as the log says. */
function answered(server: ServerProcess): Set<string> {
  return new Set([...server.output().matchAll(/^INFO: GET .* worker (\d+)$/gm)].map(([, number]) => number ?? ""));
}

async function startWorkers(t: TestContext, env: Record<string, string> = {}): Promise<ServerProcess> {
  const off = Object.fromEntries(
    ["SIGN_UP", "LOGIN_ADDRESS", "REFRESH", "API"].map((name) => [`LIMIT_${name}`, "off"]),
  );
  const server = await startServer(t, { env: { WORKERS: String(workers), LOG_LEVEL: "info", ...off, ...env } });
  while (answered(server).size < workers) await askAll(server.port, "/health/live");
  return server;
}

/** The processes whose parent it is. */
function childrenOf({ process: { pid } }: ServerProcess): number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ").filter(Boolean).map(Number);
}

/** Neither gone nor waiting to be fetched by its parent. */
function isRunning(pid: number): boolean {
  try {
    return !/^State:\tZ/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}

test("one limit, one account, one clock and one inbox for all workers, and one of them may die", async (t) => {
  const metricsPort = await freePort();
  const server = await startWorkers(t, { METRICS_PORT: String(metricsPort) });
  const { port } = server;
  await t.test("five of two hundred at once, whoever they reach", async () => {
    const asked = Array.from({ length: 200 }, () => ask(port, "/users/limited?client_id=one"));
    const replies = await Promise.all(asked);
    assert.equal(replies.filter(({ status }) => status === 200).length, 5);
    assert.equal(replies.filter(({ status }) => status === 429).length, 195);
  });
  const signUp = await ask(port, "/users/", { method: "POST", body: alice });
  const token = String(signUp.body["token"]);
  const database = server.databaseUrl;
  await runTollgate(["admin", "create", alice.email], { DATABASE_URL: database });
  await t.test("a role, an account and a session end for every worker at once", async () => {
    assert.deepEqual(statusesOf(await askAll(port, "/admin/users", { token })), [200]);
    const bob = await ask(port, "/users/", { method: "POST", body: { ...alice, email: "bob@example.com" } });
    const as = { token: String(bob.body["token"]) };
    assert.deepEqual(statusesOf(await askAll(port, "/users/me", as)), [200]);
    await ask(port, "/users/2", { method: "DELETE", token });
    assert.deepEqual(statusesOf(await askAll(port, "/users/me", as)), [401]);
  });
  await t.test("any worker tells why another one refused, and all do in one stream", async () => {
    const stream = await openRefusals(t, server.url, { token });
    const refused = await askAll(port, "/users/me");
    for (const { requestId } of refused) {
      const found = await askAll(port, `/admin/decisions/${requestId}`, { token });
      assert.deepEqual(statusesOf(found), [200]);
    }
    const told = await stream.next(refused.length);
    assert.deepEqual(told.map(({ requestId }) => requestId).toSorted(), refused.map((one) => one.requestId).toSorted());
    const numbers = told.map(({ id }) => Number(id));
    assert.deepEqual(
      numbers,
      numbers.toSorted((one, other) => one - other),
    );
    const resumed = await openRefusals(t, server.url, { token, lastEventId: told[1]?.id });
    assert.deepEqual(await resumed.next(refused.length - 2), told.slice(2));
    const why = await runTollgate(
      ["why", refused[0]?.requestId ?? ""],
      { DATABASE_URL: database },
      server.dataDirectory,
    );
    assert.equal(why.exitCode, 0, why.stderr);
  });
  await t.test("the figures of all are read at once, whichever tells them", async () => {
    for (let scrape = 0; scrape < workers; scrape += 1) {
      const figures = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text();
      assert.match(figures, /^tollgate_requests_total\{[^}]*route="\/users\/limited",status="429"[^}]*\} 195$/m);
      assert.match(figures, /^tollgate_sign_ups_total 2$/m);
    }
  });
  await t.test("the switches of development are turned for all", async () => {
    await ask(port, "/dev/clock", { method: "POST", body: { advance_seconds: 3_600 } });
    const clocks = await askAll(port, "/dev/clock");
    assert.deepEqual([...new Set(clocks.map(({ body }) => body["offset_seconds"]))], [3_600]);
    assert.equal((await ask(port, "/users/limited?client_id=one")).status, 200, "an hour later");
    await ask(port, "/dev/faults", { method: "POST", body: { database: "away", seconds: 60 } });
    assert.deepEqual(statusesOf(await askAll(port, "/health/ready")), [503]);
    await ask(port, "/dev/faults", { method: "POST", body: { database: "there" } });
    assert.deepEqual(statusesOf(await askAll(port, "/health/ready")), [200]);
  });
  await t.test("a worker that is killed is replaced, and what was counted still counts", async () => {
    for (let taken = 0; taken < 5; taken += 1) await ask(port, "/users/limited?client_id=two");
    const before = childrenOf(server);
    process.kill(before[1] ?? 0, "SIGKILL");
    while (childrenOf(server).length < workers || childrenOf(server).includes(before[1] ?? 0)) {
      await pause(pauseMilliseconds);
    }
    assert.equal((await ask(port, "/users/limited?client_id=two")).status, 429);
    assert.match(server.output(), /a worker ended/);
    await ask(port, "/dev/faults");
  });
  assert.deepEqual(await server.stop(), { exitCode: 0 });
  if (!isOnPostgres) assert.deepEqual(readdirSync(server.dataDirectory).toSorted(), ["secret.key", "tollgate.db"]);
});

// X21
test("a second signal ends all workers at once: exit 1", async (t) => {
  const server = await startServer(t, { env: { WORKERS: "2", LOG_LEVEL: "info" } });
  while (childrenOf(server).length < 2) await pause(pauseMilliseconds);
  const held = send({ host: "127.0.0.1", port: server.port, path: "/users/", method: "POST" });
  held.setHeader("content-type", "application/json").setHeader("content-length", 10);
  held
    .setHeader("expect", "100-continue")
    .on("error", () => undefined)
    .flushHeaders();
  await once(held, "continue");
  const children = childrenOf(server);
  server.process.kill("SIGTERM");
  while (!server.output().includes("SIGTERM: stopping")) await pause(pauseMilliseconds);
  server.process.kill("SIGTERM");
  const [exitCode] = await once(server.process, "close");
  assert.equal(exitCode, 1);
  assert.equal(children.length, 2);
  while (children.some(isRunning)) await pause(pauseMilliseconds);
});

test("what keeps workers from starting is told once: exit 1; a wrong count is misuse", async (t) => {
  const taken = createServer().listen(0, "127.0.0.1");
  await once(taken, "listening");
  t.after(() => taken.close());
  const address = taken.address();
  const PORT = typeof address === "object" ? String(address?.port) : "";
  const file = { DATABASE_URL: `sqlite:${temporaryDirectory(t)}/tollgate.db`, PORT };
  const inUse = await runTollgate(["serve", "--workers", "3"], file);
  assert.deepEqual([inUse.exitCode, inUse.stdout], [1, ""]);
  assert.equal(inUse.stderr.match(/is in use by another program/g)?.length, 1);
  const inMemory = await runTollgate(["serve"], { DATABASE_URL: "sqlite::memory:", WORKERS: "2" });
  assert.deepEqual([inMemory.exitCode, inMemory.stdout], [1, ""]);
  assert.match(inMemory.stderr, /^WORKERS must be 1 with DATABASE_URL=sqlite::memory:/);
  assert.equal((await runTollgate(["serve", "--workers", "0"], { PORT: String(await freePort()) })).exitCode, 2);
});
