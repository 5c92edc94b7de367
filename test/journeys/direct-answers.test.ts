/** GET /users/me past Fastify: the same answer, the same refusals, each counted once. `request` goes through Fastify. */
import assert from "node:assert/strict";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { Agent, request as httpRequest, type IncomingHttpHeaders } from "node:http";
import { once } from "node:events";
import { type AddressInfo, connect, type Socket } from "node:net";
import { DatabaseSync } from "node:sqlite";
import { test, type TestContext } from "node:test";
import { text } from "node:stream/consumers";
import { sendRaw } from "../support/raw-http.ts";
import { databaseOf, isOnPostgres, sharedDatabase } from "../support/test-database.ts";
import { createTestServer, type TestServer } from "../support/test-server.ts";

type Sent = {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string;
};
type Got = {
  readonly status: number | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: Record<string, unknown>;
};

type Listening = TestServer & {
  readonly port: number;
  readonly get: (token?: string, sent?: Sent) => Promise<Got>;
};

async function listening(t: TestContext, env: Record<string, string> = {}): Promise<Listening> {
  const server = await createTestServer(env);
  await server.app.listen({ host: "127.0.0.1", port: 0 });
  const { port } = server.app.server.address() as AddressInfo;
  const agent = new Agent({ keepAlive: true });
  t.after(() => agent.destroy());
  const get = async (
    token?: string,
    { method = "GET", path = "/users/me", headers = {}, body }: Sent = {},
  ): Promise<Got> => {
    const { promise, resolve, reject } = Promise.withResolvers<import("node:http").IncomingMessage>();
    const authorization = token === undefined ? {} : { authorization: `Bearer ${token}` };
    httpRequest({ agent, port, host: "127.0.0.1", method, path, headers: { ...authorization, ...headers } }, resolve)
      .on("error", reject)
      .end(body);
    const answer = await promise;
    const content = await text(answer);
    return {
      status: answer.statusCode,
      headers: answer.headers,
      body: content === "" ? {} : (JSON.parse(content) as Record<string, unknown>),
    };
  };
  return Object.assign(server, { port, get });
}

/** How many requests come to a handler through Fastify meanwhile. */
function countFastifysWay(t: TestContext): () => number {
  let count = 0;
  const seen = (): void => void (count += 1);
  subscribe("tracing:fastify.request.handler:start", seen);
  t.after(() => unsubscribe("tracing:fastify.request.handler:start", seen));
  return () => count;
}

/** What is another one in every answer, or belongs to a connection. */
const ownOfEach = new Set(["x-request-id", "date", "connection", "keep-alive", "server-timing", "transfer-encoding"]);

function comparable(headers: Readonly<Record<string, unknown>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers)
      .filter(([name]) => !ownOfEach.has(name))
      .map(([name, value]) => [name, String(value)]),
  );
}

test("the answer is that of any other way, header by header", async (t) => {
  const production = {
    TOLLGATE_MODE: "production",
    SECRET_KEY: "correct horse battery staple, for some production",
    PUBLIC_URL: "https://accounts.example.com",
    ARGON2_MEMORY_KIB: "19456",
    ARGON2_PASSES: "2",
  };
  const byFastify = countFastifysWay(t);
  for (const [mode, settings] of Object.entries({ development: {}, production })) {
    const server = await listening(t, { ...settings, LIMIT_API: "100/1h" });
    const { token } = await server.signUp("ada@example.com");
    const atFirst = byFastify();
    assert.equal((await server.get(token)).status, 200); // Its signature is checked in another thread.
    assert.equal(byFastify() - atFirst, 0, "past Fastify, though it waited");
    for (let time = 1; time <= 3; time += 1) {
      const before = byFastify();
      const direct = await server.get(token);
      assert.equal(byFastify() - before, 0, "past Fastify");
      const other = await server.request("GET", "/users/me", { token });
      assert.equal(byFastify() - before, 1, "through it");
      assert.equal(direct.status, 200);
      assert.deepEqual(direct.body, other.body);
      assert.equal(direct.headers["ratelimit"], `"api";r=${100 - 2 * time};t=3600`);
      const expected = { ...comparable(other.headers), ratelimit: direct.headers["ratelimit"] };
      assert.deepEqual(comparable(direct.headers), expected);
      assert.match(String(direct.headers["x-request-id"]), /^[\da-f-]{36}$/);
      const gates = /route.*limit.*authenticate.*authorize.*validate.*handle.*depend/;
      if (mode === "development") assert.match(String(direct.headers["server-timing"]), gates);
      else assert.equal(direct.headers["server-timing"], undefined);
    }
  }
});

test("what is refused is refused as anywhere else, and counted once", async (t) => {
  const server = await listening(t, { LIMIT_API: "5/1h" });
  const { token } = await server.signUp("ada@example.com");
  const statuses: unknown[] = [];
  const left: unknown[] = [];
  for (let time = 0; time < 7; time += 1) {
    const { status, headers, body } = await server.get(token);
    statuses.push(status === 200 ? 200 : body["code"]);
    left.push(/r=(\d+)/.exec(String(headers["ratelimit"]))?.[1]);
  }
  assert.deepEqual(statuses, [200, 200, 200, 200, 200, "too-many-requests", "too-many-requests"]);
  assert.deepEqual(left, ["4", "3", "2", "1", "0", "0", "0"]);
  const figures = await server.app.readMetrics();
  const counted = (labels: string): string | undefined =>
    new RegExp(`^tollgate_requests_total\\{method="GET",route="/users/me",${labels}\\} (\\d+)$`, "m").exec(
      figures,
    )?.[1];
  assert.equal(counted('status="200",refused_by="none"'), "5");
  assert.equal(counted('status="429",refused_by="limit"'), "2");
});

test("each refusal tells its reason", async (t) => {
  const server = await listening(t);
  const { token } = await server.signUp("ada@example.com");
  const code = async (own: string | undefined, sent?: Sent): Promise<unknown> => {
    const { status, body, headers } = await server.get(own, sent);
    assert.equal(body["request_id"], headers["x-request-id"]);
    return `${status} ${String(body["code"])}`;
  };
  assert.equal((await server.get(token)).status, 200);
  assert.equal(await code(undefined), "401 token-missing");
  assert.equal(await code(`${token}x`), "401 token-invalid");
  assert.equal(await code(token, { path: "/users/me?access_token=x" }), "400 two-credentials");
  assert.equal(await code(token, { method: "POST" }), "405 method-not-allowed");
  const twice = `GET /users/me HTTP/1.1\r\nHost: localhost\r\n${`Authorization: Bearer ${token}\r\n`.repeat(2)}\r\n`;
  const [answer] = await sendRaw(server.port, twice);
  assert.equal(answer?.status, 400);
  assert.match(answer?.body ?? "", /two-credentials/);
  const [old] = await sendRaw(server.port, `GET /users/me HTTP/1.0\r\nAuthorization: Bearer ${token}\r\n\r\n`);
  assert.equal(old?.status, 200);
  assert.match(old?.head ?? "", /connection: close/i);
  const pipelined = await sendRaw(
    server.port,
    `GET /users/me HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${token}\r\n\r\n`.repeat(20),
  );
  assert.deepEqual(
    pipelined.map(({ status }) => status),
    Array.from({ length: 20 }, () => 200),
  );
  assert.equal(new Set(pipelined.map(({ head }) => /x-request-id: (\S+)/.exec(head)?.[1])).size, 20);

  server.clock.advance(24 * 3_600_000);
  assert.equal(await code(token), "401 token-expired");
});

test("a HEAD, a body and a stop take the other way", async (t) => {
  const server = await listening(t);
  const { token } = await server.signUp("ada@example.com");
  const headers = { "content-type": "application/json", "content-length": "2" };
  assert.equal((await server.get(token, { headers, body: "{}" })).status, 200);
  const [answer] = await sendRaw(
    server.port,
    `HEAD /users/me HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${token}\r\n\r\n`,
  );
  assert.equal(answer?.status, 200);
  server.app.beginShutdown();
  assert.equal((await server.get(token)).headers["connection"], "close");
});

/** Holds the check of the next signature until it is let go. */
function holdSignature(t: TestContext): { readonly isHeld: Promise<void>; readonly letGo: () => void } {
  const [held, gone] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const verify = crypto.subtle.verify.bind(crypto.subtle);
  const waiting: typeof verify = async (...all) => {
    held.resolve();
    await gone.promise;
    return verify(...all);
  };
  t.mock.method(crypto.subtle, "verify", waiting, { times: 1 });
  return { isHeld: held.promise, letGo: gone.resolve };
}

test("a stop while it waits: it is the last answer of its connection", async (t) => {
  const server = await listening(t);
  const { token } = await server.signUp("ada@example.com");
  const signature = holdSignature(t);
  const answer = server.get(token);
  await signature.isHeld;
  server.app.beginShutdown();
  signature.letGo();
  const { status, headers, body } = await answer;
  assert.equal(status, 200);
  assert.equal(headers["connection"], "close");
  assert.equal(body["email"], "ada@example.com");
});

test("whoever leaves while it waits is counted as one who left, and as nothing else", async (t) => {
  const server = await listening(t);
  const figure = async (name: string): Promise<number> =>
    (await server.app.readMetrics())
      .split("\n")
      .filter((line) => line.startsWith(name))
      .reduce((sum, line) => sum + Number(line.split(" ").at(-1)), 0);
  for (const farewell of ["", "no HTTP\r\n\r\n"]) {
    const { token } = await server.signUp(`ada${farewell.length}@example.com`);
    const [leftBefore, answeredBefore] = [
      await figure("tollgate_requests_left_total"),
      await figure("tollgate_requests_total"),
    ];
    const signature = holdSignature(t);
    const socket = connect(server.port, "127.0.0.1");
    const [atServer] = (await once(server.app.server, "connection")) as [Socket];
    socket.write(`GET /users/me HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${token}\r\n\r\n`);
    await signature.isHeld;
    const closed = once(atServer, "close");
    if (farewell === "") socket.destroy();
    else socket.resume().end(farewell);
    await closed;
    signature.letGo();
    await t.waitFor(async () => assert.equal(await figure("tollgate_requests_left_total"), leftBefore + 1));
    assert.equal(await figure("tollgate_requests_total"), answeredBefore);
  }
});

test("every change is in the very next answer", async (t) => {
  const server = await listening(t);
  const admin = await server.administrator();
  const { id, token, email, password } = await server.signUp("ada@example.com");
  const patch = (body: object) => server.request("PATCH", `/admin/users/${id}`, { token: admin.token, body });
  for (let time = 1; time <= 20; time += 1) {
    await server.request("PATCH", "/users/me", { token, body: { display_name: `Ada ${time}` } });
    assert.equal((await server.get(token)).body["display_name"], `Ada ${time}`);
    const role = time % 2 === 0 ? "user" : "admin";
    assert.equal((await patch({ role })).status, 200);
    assert.equal((await server.get(token)).body["role"], role);
  }
  assert.equal((await server.request("POST", "/auth/logout", { token })).status, 204);
  assert.equal((await server.get(token)).body["code"], "session-ended");
  const next = await server.logIn(email, password);
  assert.equal((await server.get(next)).status, 200);
  assert.equal((await patch({ disabled: true })).status, 200);
  assert.equal((await server.get(next)).body["code"], "session-ended");
});

test("a change by another process is in the very next answer", async (t) => {
  if (isOnPostgres) return; // Nothing is remembered there.
  const url = await sharedDatabase(t);
  const database = databaseOf(url);
  assert.ok(database.kind === "sqlite");
  const server = await listening(t, { DATABASE_URL: url });
  const { id, token } = await server.signUp("ada@example.com");
  const other = new DatabaseSync(database.path);
  t.after(() => other.close());
  const rename = other.prepare("update accounts set display_name = ? where id = ?");
  for (let time = 1; time <= 200; time += 1) {
    rename.run(`Ada ${time}`, id);
    assert.equal((await server.get(token)).body["display_name"], `Ada ${time}`);
  }
  other.prepare("update sessions set ended_at = 1, end_reason = 'signed-out' where account_id = ?").run(id);
  assert.equal((await server.get(token)).body["code"], "session-ended");
});
