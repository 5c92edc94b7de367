import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, readdirSync, writeFileSync } from "node:fs";
import { type Socket, connect, createServer } from "node:net";
import { join, resolve } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { freePort, runTollgate, startServer, takesConnections, temporaryDirectory } from "./support/server-process.ts";

const alice = JSON.stringify({ email: "alice@example.com", password: "secret1" });
const pauseMilliseconds = 20;

/** Opens a connection that sends this text and keeps all that comes back. */
async function converse(port: number, text: string): Promise<{ socket: Socket; received: () => string }> {
  let received = "";
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => undefined).setEncoding("utf8");
  socket.on("data", (chunk: string) => {
    received += chunk;
  });
  await once(socket, "connect");
  socket.write(text);
  return { socket, received: () => received };
}

/** A sign-up whose headers the server has read and whose body it waits for. */
async function signUpUnderWay(port: number) {
  const head = `POST /users/ HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n`;
  const length = `Content-Length: ${alice.length}\r\nExpect: 100-continue\r\n\r\n`;
  const { socket, received } = await converse(port, head + length);
  while (!received().includes("100 Continue")) await once(socket, "data");
  return { socket, received };
}

test("the server says where it is, answers, and ends with 0 when asked to", async (t) => {
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    const server = await startServer(t);
    const output = server.output();
    assert.match(output, new RegExp(`^Tollgate is listening on http://127\\.0\\.0\\.1:${server.port}$`, "m"));
    assert.match(output, new RegExp(`^ +docs +http://localhost:${server.port}/docs$`, "m"));
    assert.match(output, /^ +errors +http.*\/errors$/m);
    assert.ok(output.includes(join(server.dataDirectory, "tollgate.db")));
    assert.ok(output.includes(join(server.dataDirectory, "secret.key")));
    assert.match(output, /^ +mode +development$/m);
    assert.equal((await fetch(`${server.url}/health/ready`)).status, 200);
    server.process.kill(signal);
    const [exitCode] = await once(server.process, "close");
    assert.equal(exitCode, 0);
    // Closed, not dropped: nothing is left in the write-ahead log, and the control socket is gone.
    assert.deepEqual(readdirSync(server.dataDirectory).toSorted(), ["secret.key", "tollgate.db"]);
  }
});

// X21
test("a stop lets requests finish that are under way, and takes no new ones", async (t) => {
  const server = await startServer(t);
  const signUp = await signUpUnderWay(server.port);
  const readiness = await converse(server.port, "GET /health/ready HTTP/1.1\r\nHost: localhost\r\n");
  assert.equal((await fetch(`${server.url}/health/live`)).status, 200);
  const closed = once(server.process, "close");
  server.process.kill("SIGTERM");
  while (await takesConnections(server.port)) await pause(pauseMilliseconds);
  readiness.socket.write("\r\n");
  await once(readiness.socket, "close");
  assert.match(readiness.received(), /^HTTP\/1\.1 503 /);
  signUp.socket.write(alice);
  await once(signUp.socket, "close");
  assert.match(signUp.received(), /HTTP\/1\.1 201 Created\r\n/);
  assert.match(signUp.received(), /^connection: close\r$/im);
  const [exitCode] = await closed;
  assert.equal(exitCode, 0);
});

// X21
test("a second signal waits for nobody: exit 1", async (t) => {
  const server = await startServer(t);
  await signUpUnderWay(server.port);
  server.process.kill("SIGTERM");
  while (await takesConnections(server.port)) await pause(pauseMilliseconds);
  assert.equal(server.process.exitCode, null);
  server.process.kill("SIGTERM");
  const [exitCode] = await once(server.process, "close");
  assert.equal(exitCode, 1);
});

test("what keeps the server from starting is one sentence each: exit 1, no stack", async (t) => {
  const directory = temporaryDirectory(t);
  const file = join(directory, "file");
  writeFileSync(file, "no database ".repeat(1000));
  const newer = join(directory, "newer.db");
  assert.equal(
    (await runTollgate(["admin", "create", "a@example.com"], { DATABASE_URL: `sqlite:${newer}` })).exitCode,
    0,
  );
  const database = new DatabaseSync(newer);
  database.exec("insert into migrations (name, applied_at) values ('9999-future', 0)");
  database.close();
  const taken = createServer().listen(0, "127.0.0.1");
  await once(taken, "listening");
  t.after(() => taken.close());
  const address = taken.address();
  const takenPort = typeof address === "object" ? String(address?.port) : "";
  const port = String(await freePort());
  const memory = { DATABASE_URL: "sqlite::memory:" };
  const cases = [
    { env: { ...memory, PORT: takenPort }, says: /^Port \d+ on 127\.0\.0\.1 is in use/ },
    { env: { ...memory, PORT: port, HOST: "192.0.2.1" }, says: /^HOST=192\.0\.2\.1 is no address of this machine/ },
    { env: { PORT: port, DATABASE_URL: `sqlite:${file}/below/t.db` }, says: /cannot be made \(ENOTDIR\)/ },
    { env: { PORT: port, DATABASE_URL: `sqlite:${file}` }, says: /is not an SQLite database/ },
    { env: { PORT: port, DATABASE_URL: `sqlite:${newer}` }, says: /newer version of Tollgate/ },
  ];
  for (const { env, says } of cases) {
    const { exitCode, stdout, stderr } = await runTollgate(["serve"], env);
    const sentences = stderr.split("\n").filter((line) => line !== "" && !/FSTDEP|--trace-warnings/.test(line));
    assert.equal(exitCode, 1);
    assert.equal(sentences.length, 1, stderr);
    assert.match(sentences[0] ?? "", says);
    assert.equal(stdout, "");
  }
});

test("all bad and missing settings are told at once, one line each: exit 1", async () => {
  const env = { TOLLGATE_MODE: "production", PORT: "0", REDIS_URL: "redis://:canary@localhost:x", LOG_LEVEL: "loud" };
  const { exitCode, stdout, stderr } = await runTollgate(["serve"], env);
  assert.equal(exitCode, 1);
  assert.equal(stdout, "");
  const names = stderr
    .trimEnd()
    .split("\n")
    .map((line) => line.split(" ", 1)[0]);
  assert.deepEqual(names, ["PORT", "PUBLIC_URL", "REDIS_URL", "SECRET_KEY", "LOG_LEVEL"]);
  assert.doesNotMatch(stderr, /canary/);
});

test("commands work beside a running server, and why tells what decided a request", async (t) => {
  const server = await startServer(t);
  const env = {
    DATABASE_URL: `sqlite:${server.dataDirectory}/tollgate.db`,
    ARGON2_MEMORY_KIB: "8",
    ARGON2_PASSES: "1",
  };
  const made = await runTollgate(["admin", "create", "ada@example.com"], env);
  assert.equal(made.exitCode, 0, made.stderr);
  const password = made.stdout.trimEnd().split("\n").at(-1);
  const body = JSON.stringify({ email: "ada@example.com", password });
  const signIn = await fetch(`${server.url}/auth/login`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body,
  });
  assert.equal(signIn.status, 200);
  const keys = await runTollgate(["keys", "list"], env);
  assert.match(keys.stdout, /^KEY +ALGORITHM +STATE .*\n\S+ +ES256 +signing +\d{4}-/);
  assert.equal((await runTollgate(["doctor"], env)).exitCode, 0);

  const refused = await fetch(`${server.url}/users/me`);
  const requestId = refused.headers.get("x-request-id") ?? "";
  const why = await runTollgate(["why", requestId], env);
  assert.equal(why.exitCode, 0, why.stderr);
  assert.match(why.stdout, /^GET \/users\/me from 127\.0\.0\.1, nobody signed in, /);
  assert.match(why.stdout, /^authenticate +refused /m);
  assert.match(why.stdout, /^Decided by the gate "authenticate": 401 token-missing$/m);
  assert.ok(why.stdout.includes(`http://localhost:${server.port}/errors/token-missing`));
  const json = await runTollgate(["why", requestId, "--json"], env);
  assert.equal(JSON.parse(json.stdout).decision.code, "token-missing");
  const unknown = await runTollgate(["why", "unknown-id"], env);
  assert.deepEqual([unknown.exitCode, unknown.stdout], [1, ""]);
  assert.match(unknown.stderr, /does not remember unknown-id/);
  assert.equal((await server.stop()).exitCode, 0);
  assert.match((await runTollgate(["why", requestId], env)).stderr, /^No server runs on/);
});

// X23: two instances that start together
test("two servers start together on one new data directory, and both are asked why", async (t) => {
  const env = { DATABASE_URL: `sqlite:${temporaryDirectory(t)}/data/tollgate.db` };
  const [one, two] = await Promise.all([startServer(t, { env }), startServer(t, { env })]);
  for (const server of [one, two]) {
    const requestId = (await fetch(`${server.url}/users/me`)).headers.get("x-request-id") ?? "";
    assert.equal((await runTollgate(["why", requestId], env)).exitCode, 0);
  }
  assert.equal((await one.stop()).exitCode, 0);
  assert.equal((await fetch(`${two.url}/health/ready`)).status, 200);
});

// ASVS 16.5.4 (requirement 83)
test("a rejected promise is logged and survived; an uncaught exception is logged and ends with 1", async (t) => {
  const source = `process.on("SIGUSR2", () => void Promise.reject(new Error("a lost promise")));
    process.on("SIGHUP", () => { throw new Error("a lost exception"); });`;
  const server = await startServer(t, {
    env: { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(source)}` },
  });
  server.process.kill("SIGUSR2");
  while (!server.output().includes("a lost promise")) await pause(pauseMilliseconds);
  assert.equal((await fetch(`${server.url}/health/ready`)).status, 200);
  server.process.kill("SIGHUP");
  const [exitCode] = await once(server.process, "close");
  assert.equal(exitCode, 1);
  assert.match(server.output(), /a lost exception/);
});

test("a place for compiled code that cannot be written does not keep the server from starting", async (t) => {
  // Not even root makes a directory in a device.
  const server = await startServer(t, { env: { NODE_COMPILE_CACHE: "/dev/null/nowhere" } });
  const body = JSON.stringify({ email: "alice@example.com", password: "quietly humming owls" });
  const headers = { "content-type": "application/json" };
  // What writes and what hashes are threads with a cache of their own.
  assert.equal((await fetch(`${server.url}/users/`, { method: "POST", headers, body })).status, 201);
  assert.equal((await server.stop()).exitCode, 0);
});

test("serve --json tells in one line where it listens", async (t) => {
  const port = String(await freePort());
  const main = resolve(import.meta.dirname, "../src/main.ts");
  const env = { PORT: port, DATABASE_URL: "sqlite::memory:", LOG_LEVEL: "silent" };
  const child = spawn(process.execPath, [main, "serve", "--json"], { env, stdio: ["ignore", "pipe", "inherit"] });
  t.after(() => child.kill("SIGKILL"));
  const [line] = await once(child.stdout, "data");
  assert.deepEqual(JSON.parse(String(line)), {
    address: `http://127.0.0.1:${port}`,
    docs: `http://localhost:${port}/docs`,
    errors: `http://localhost:${port}/errors`,
    database: "in memory: it ends with the process",
    mode: "development",
    secret: "in memory: it ends with the process",
  });
});

// X3
test("a reader that goes away from the log does not end the server", async (t) => {
  const server = await startServer(t, { env: { LOG_LEVEL: "info" } });
  server.process.stdout?.destroy();
  server.process.stderr?.destroy();
  for (let request = 0; request < 20; request += 1) {
    assert.equal((await fetch(`${server.url}/users/me`)).status, 401);
  }
  assert.equal((await server.stop()).exitCode, 0);
});

// X3
test("a full disk under the log does not end the server", { skip: process.platform !== "linux" }, async (t) => {
  for (const mode of ["development", "production"]) {
    const port = await freePort();
    const full = openSync("/dev/full", "w");
    const env = {
      TOLLGATE_MODE: mode,
      PORT: String(port),
      DATABASE_URL: "sqlite::memory:",
      PUBLIC_URL: "https://accounts.example.com",
      SECRET_KEY: "0123456789abcdef0123456789abcdef",
    };
    const main = resolve(import.meta.dirname, "../src/main.ts");
    const child = spawn(process.execPath, [main, "serve"], { env, stdio: ["ignore", full, full] });
    closeSync(full);
    t.after(() => child.kill("SIGKILL"));
    while (child.exitCode === null && !(await takesConnections(port))) await pause(pauseMilliseconds);
    for (let request = 0; request < 20; request += 1) {
      assert.equal((await fetch(`http://127.0.0.1:${port}/users/me`)).status, 401);
    }
    child.kill("SIGTERM");
    const [exitCode] = await once(child, "close");
    assert.equal(exitCode, 0);
  }
});
