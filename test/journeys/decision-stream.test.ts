import assert from "node:assert/strict";
import { connect } from "node:net";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { openStream, type StreamEvent } from "../support/decision-stream.ts";
import { runTollgate, startServer } from "../support/server-process.ts";
import { sharedDatabase } from "../support/test-database.ts";
import { createTestServer, type TestServer } from "../support/test-server.ts";

async function listening(
  env: Record<string, string> = {},
): Promise<{ server: TestServer; url: string; token: string }> {
  const server = await createTestServer(env);
  const url = await server.app.listen({ host: "127.0.0.1", port: 0 });
  const { token } = await server.administrator();
  return { server, url, token };
}

function pathOf(event: StreamEvent | undefined): unknown {
  return (JSON.parse(event?.data ?? "{}") as { path?: unknown }).path;
}

test("refusals come as they happen, each once, and after a break those that were missed", async (t) => {
  const { server, url, token } = await listening();
  const alice = await server.signUp("alice@example.com");
  await server.request("GET", "/before");
  const reader = await openStream(t, url, { token });
  assert.equal(reader.response.status, 200);
  assert.equal(reader.response.headers.get("content-type"), "text/event-stream; charset=utf-8");
  assert.equal(reader.response.headers.get("cache-control"), "no-store");

  await server.request("GET", "/admin/users?q=canary-query", { token: alice.token });
  await server.request("POST", "/auth/login", { body: { email: alice.email, password: "canary-password" } });
  await server.request("GET", "/users/me", { headers: { authorization: "Bearer canary.token.x", cookie: "a=canary" } });
  const events = [await reader.next(), await reader.next(), await reader.next()];
  assert.deepEqual(events.map(pathOf), ["/admin/users", "/auth/login", "/users/me"]);
  assert.ok(!JSON.stringify(events).includes("canary"), "no secret");
  for (const event of events) {
    assert.equal(event?.event, "decision");
    const found = await server.request("GET", "/admin/decisions?limit=3", { token });
    const items = found.body["items"] as { id: string }[];
    assert.deepEqual(
      JSON.parse(event.data ?? ""),
      items.find(({ id }) => id === event.id),
      "as in the list",
    );
  }
  reader.close();

  await server.request("GET", "/missed/1");
  await server.request("GET", "/missed/2");
  const lastEventId = events[1]?.id ?? "";
  const resumed = await openStream(t, url, { token, lastEventId });
  await server.request("GET", "/later");
  const after = [await resumed.next(), await resumed.next(), await resumed.next(), await resumed.next()];
  assert.deepEqual(after.map(pathOf), ["/users/me", "/missed/1", "/missed/2", "/later"]);
  assert.equal(after[0]?.id, events[2]?.id);

  const fresh = await openStream(t, url, { token, lastEventId: "made up" });
  await server.request("GET", "/last");
  assert.equal(pathOf(await fresh.next()), "/last", "an id that is none is as good as none");
});

test("a stream tells only what was asked for", async (t) => {
  const { server, url, token } = await listening();
  const reader = await openStream(t, url, { token, query: "?gate=authenticate&status=401&code=token-missing" });
  await server.request("GET", "/nowhere");
  await server.request("GET", "/users/me", { token: "not.a.token" });
  await server.request("GET", "/users/me");
  assert.equal((JSON.parse((await reader.next())?.data ?? "{}") as { code: string }).code, "token-missing");
  const refused = await fetch(`${url}/admin/decisions/stream?gate=door`, {
    headers: { authorization: `Bearer ${token}` },
  });
  assert.equal(refused.status, 422);
});

test("a stream ends when its session, its role or its token does, and goes on until then", async (t) => {
  const { server, url, token } = await listening();
  const end = async (
    name: string,
    change: (admin: { id: number; token: string }) => Promise<unknown>,
  ): Promise<void> => {
    const { id, token: own } = await server.administrator(`${name}@example.com`);
    const reader = await openStream(t, url, { token: own, query: "?status=404" });
    await server.app.tickStreams();
    await server.request("GET", `/${name}`);
    assert.equal(pathOf(await reader.next()), `/${name}`, "nothing has changed yet");
    await change({ id, token: own });
    await server.app.tickStreams();
    await server.request("GET", "/afterwards");
    assert.equal(await reader.next(), undefined, name);
  };
  await end("signed-out", (admin) => server.request("POST", "/auth/logout", { token: admin.token }));
  await end("demoted", ({ id }) => server.request("PATCH", `/admin/users/${id}`, { token, body: { role: "user" } }));
  await end("disabled", ({ id }) => server.request("PATCH", `/admin/users/${id}`, { token, body: { disabled: true } }));
  await end("deleted", ({ id }) => server.request("DELETE", `/users/${id}`, { token }));
  await end("expired", async () => server.clock.advance(16 * 60_000 + 61_000));
  assert.equal((await fetch(`${url}/admin/decisions/stream`)).status, 401);
});

test("a stream shows now and then that it lives", async (t) => {
  const { server, url, token } = await listening();
  const reader = await openStream(t, url, { token });
  server.clock.advance(14_999);
  await server.app.tickStreams();
  await server.request("GET", "/nowhere");
  assert.equal(pathOf(await reader.next()), "/nowhere", "no comment yet");
  server.clock.advance(1);
  await server.app.tickStreams();
  assert.deepEqual(await reader.next(), { comment: true });
});

test("of a flood only so many are sent, and how many were not", async (t) => {
  const { server, url, token } = await listening();
  const reader = await openStream(t, url, { token });
  for (let count = 0; count < 230; count += 1) await server.request("GET", `/flood/${count}`);
  server.clock.advance(1_000);
  await server.request("GET", "/after");
  for (let count = 0; count < 200; count += 1) assert.equal(pathOf(await reader.next()), `/flood/${count}`);
  assert.deepEqual(await reader.next(), { event: "skipped", data: '{"count":30}' });
  assert.equal(pathOf(await reader.next()), "/after");
});

test("streams are bounded, and a place is free again when one closes", async (t) => {
  const { server, url, token } = await listening();
  const readers = [];
  for (let count = 0; count < 8; count += 1) readers.push(await openStream(t, url, { token }));
  const refused = await server.request("GET", "/admin/decisions/stream", { token });
  assert.deepEqual([refused.status, refused.body["code"]], [503, "too-many-streams"]);
  assert.equal(refused.headers["retry-after"], "5");
  const other = await server.administrator("other@example.com");
  assert.equal((await openStream(t, url, { token: other.token })).response.status, 200, "another account has its own");
  const head = await fetch(`${url}/admin/decisions/stream`, {
    method: "HEAD",
    headers: { authorization: `Bearer ${token}` },
  });
  assert.equal(head.status, 503);
  readers[0]?.close();
  let status = 503;
  for (let tries = 0; status === 503 && tries < 1_000; tries += 1) {
    await turn();
    status = (await openStream(t, url, { token })).response.status;
  }
  assert.equal(status, 200);
});

test("asking for the head alone leaves no stream behind", async () => {
  const { url, token } = await listening();
  for (let count = 0; count < 40; count += 1) {
    const { status, headers } = await fetch(`${url}/admin/decisions/stream`, {
      method: "HEAD",
      headers: { authorization: `Bearer ${token}` },
    });
    assert.equal(status, 200);
    assert.equal(headers.get("content-type"), "text/event-stream; charset=utf-8");
  }
});

test("a reader that does not read is dropped, and nobody waits for it", async (t) => {
  const { server, url, token } = await listening();
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  t.after(() => socket.destroy());
  socket.on("error", () => undefined);
  socket.write(`GET /admin/decisions/stream HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\n\r\n`);
  await new Promise<void>((resolve) => socket.once("data", () => resolve()));
  socket.pause();
  const connections = (): Promise<number> =>
    new Promise((resolve, reject) =>
      server.app.server.getConnections((error, count) => (error ? reject(error) : resolve(count))),
    );
  assert.equal(await connections(), 1);
  const [template] = await server.platform.decisions.list({}, { count: 1 });
  assert.equal(template, undefined);
  let sent = 0;
  // What the kernel takes in on both sides is some megabytes; a second of refusals are two hundred.
  while ((await connections()) === 1 && sent < 200_000) {
    server.clock.advance(1_000);
    for (let count = 0; count < 200; count += 1, sent += 1) {
      server.platform.decisions.record({
        requestId: `made-${sent}`,
        at: server.clock.now(),
        method: "GET",
        path: `/${"x".repeat(255)}`,
        status: 404,
        decidedBy: "route",
        code: "not-found",
        accountId: null,
        address: "203.0.113.7",
        gates: [],
      });
    }
    await turn();
  }
  assert.equal(await connections(), 0, `dropped after ${sent}`);
  assert.equal((await server.request("GET", "/health/live")).status, 200);
});

test("a server that stops ends its streams and does not wait for them", async (t) => {
  // X21
  const DATABASE_URL = await sharedDatabase(t);
  const server = await startServer(t, { env: { DATABASE_URL } });
  const signedUp = await fetch(`${server.url}/users/`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ email: "alice@example.com", password: "password" }),
  });
  const { token } = (await signedUp.json()) as { token: string };
  await runTollgate(["admin", "create", "alice@example.com"], { DATABASE_URL });
  const reader = await openStream(t, server.url, { token });
  assert.equal(reader.response.status, 200);
  const stopped = server.stop();
  assert.equal(await reader.next(), undefined);
  assert.deepEqual(await stopped, { exitCode: 0 });
});
