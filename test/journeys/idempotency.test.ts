import assert from "node:assert/strict";
import { test } from "node:test";
import { sharedDatabase, textOf } from "../support/test-database.ts";
import { startServer } from "../support/server-process.ts";
import { createTestServer, type TestServer } from "../support/test-server.ts";

// draft-ietf-httpapi-idempotency-key-header (requirement 74)

const alice = { email: "alice@example.com", password: "password" };

function signUp(server: TestServer, key: string, body: unknown = alice, address = "203.0.113.7") {
  return server.request("POST", "/users/", { body, headers: { "idempotency-key": key }, address });
}

async function accounts(server: TestServer): Promise<number> {
  return (await server.platform.db.selectFrom("accounts").select("id").execute()).length;
}

test("the same key and body get the same status and body, for a day", async () => {
  const server = await createTestServer();
  const first = await signUp(server, "key-1");
  assert.equal(first.status, 201);
  server.clock.advance(86_399_000);
  const again = await signUp(server, "key-1");
  assert.equal(again.status, 201);
  assert.equal(again.text, first.text);
  assert.equal(again.headers["location"], first.headers["location"]);
  assert.equal(await accounts(server), 1);
  assert.deepEqual(await server.events(), ["signing-key/created", "account/created", "session/started"]);
  server.clock.advance(1_000);
  assert.equal((await signUp(server, "key-1")).body["code"], "email-taken", "after a day it is a new request");
});

test("the same key with another body is a mistake of the client", async () => {
  const server = await createTestServer();
  await signUp(server, "key-1");
  const other = await signUp(server, "key-1", { ...alice, email: "bob@example.com" });
  assert.equal(other.status, 422);
  assert.equal(other.body["code"], "idempotency-key-reused");
  assert.equal(
    (await signUp(server, "key-1", { ...alice, password: "another" })).body["code"],
    "idempotency-key-reused",
  );
  assert.equal(await accounts(server), 1);
});

test("a key belongs to who sent it, and stands for one request, not for an answer that was refused", async () => {
  const server = await createTestServer();
  await signUp(server, "1");
  assert.equal((await signUp(server, "1", { ...alice, email: "bob@example.com" }, "198.51.100.1")).status, 201);
  assert.equal((await signUp(server, "2")).body["code"], "email-taken");
  await server.platform.db.deleteFrom("accounts").execute();
  assert.equal((await signUp(server, "2")).status, 201, "a refusal is not kept");
  for (const key of ["", "x".repeat(256)]) {
    const refused = await signUp(server, key, { ...alice, email: "carol@example.com" });
    assert.equal(refused.status, 422);
    assert.deepEqual((refused.body["errors"] as { pointer: string }[])[0]?.pointer, "Idempotency-Key");
  }
});

test("twenty at once: one account, the others are told to ask again", async () => {
  const server = await createTestServer({ HASH_QUEUE: "100" });
  const answers = await Promise.all(Array.from({ length: 20 }, () => signUp(server, "key-1")));
  const made = answers.filter(({ status }) => status === 201);
  assert.ok(made.length >= 1);
  assert.equal(new Set(made.map(({ text }) => text)).size, 1);
  for (const { body, headers } of answers.filter(({ status }) => status !== 201)) {
    assert.equal(body["code"], "request-in-progress");
    assert.equal(headers["retry-after"], "1");
  }
  assert.equal(await accounts(server), 1);
  assert.equal((await signUp(server, "key-1")).text, made[0]?.text);
});

test("the answer survives kill -9, and is not readable in the database", async (t) => {
  // X1: the account and its kept answer are one transaction.
  const env = { DATABASE_URL: await sharedDatabase(t), SECRET_KEY: "0123456789abcdef0123456789abcdef" };
  const send = async (url: string): Promise<string> => {
    const headers = { "content-type": "application/json", "idempotency-key": "key-1" };
    const response = await fetch(`${url}/users/`, { method: "POST", headers, body: JSON.stringify(alice) });
    return `${response.status} ${await response.text()}`;
  };
  const first = await startServer(t, { env });
  const answer = await send(first.url);
  assert.match(answer, /^201 /);
  first.process.kill("SIGKILL");
  const second = await startServer(t, { env });
  assert.equal(await send(second.url), answer);
  await second.stop();
  const token = /"refresh_token":"([^"]+)"/.exec(answer)?.[1] ?? "?";
  const text = await textOf(env.DATABASE_URL);
  assert.ok(text.includes("alice@example.com"));
  assert.ok(!text.includes(token));
});
