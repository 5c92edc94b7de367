import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { sql } from "kysely";
import { Problem } from "../../src/contract/problems.ts";
import { purgeAnswers } from "../../src/features/idempotency/idempotency.ts";
import { createPasswordHasher } from "../../src/platform/hashing/argon2-password-hasher.ts";
import type { PasswordHasher } from "../../src/platform/hashing/password-hasher.ts";
import { startServer, temporaryDirectory } from "../support/server-process.ts";
import { sharedDatabase, textOf } from "../support/test-database.ts";
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

test("a key belongs to who sent it, and has 1 to 255 characters", async () => {
  const server = await createTestServer();
  await signUp(server, "1");
  assert.equal((await signUp(server, "1", { ...alice, email: "bob@example.com" }, "198.51.100.1")).status, 201);
  for (const key of ["", "x".repeat(256)]) {
    const refused = await signUp(server, key, { ...alice, email: "carol@example.com" });
    assert.equal(refused.status, 422);
    assert.deepEqual((refused.body["errors"] as { pointer: string }[])[0]?.pointer, "Idempotency-Key");
  }
  assert.equal((await signUp(server, "x".repeat(255), { ...alice, email: "carol@example.com" })).status, 201);
});

test("a refusal is an answer, too: the same to the letter, though it would be another one by now", async () => {
  const server = await createTestServer();
  await server.signUp(alice.email);
  const refused = await signUp(server, "key-1");
  assert.equal(refused.body["code"], "email-taken");
  await server.platform.db.deleteFrom("accounts").execute();
  const events = await server.events();
  const again = await signUp(server, "key-1");
  assert.deepEqual([again.status, again.text], [409, refused.text]);
  assert.notEqual(again.headers["x-request-id"], again.body["request_id"], "the body is the first request's");
  assert.deepEqual([await accounts(server), await server.events()], [0, events], "nothing happened");
  assert.equal((await signUp(server, "key-1", { ...alice, password: "another" })).status, 422);
  assert.equal((await signUp(server, "key-2")).status, 201);
  server.clock.advance(86_400_000);
  assert.equal((await signUp(server, "key-1", { ...alice, email: "bob@example.com" })).status, 201, "after a day");
});

/** A hasher whose next hash does something else. */
function hasherThat(next: { do: (() => Promise<string>) | undefined }): PasswordHasher {
  const hasher = createPasswordHasher({
    threads: 1,
    queueMax: 10,
    deadlineMilliseconds: 5_000,
    parameters: { memoryKibibytes: 8, passes: 1, parallelism: 1 },
  });
  const hash = (password: string): Promise<string> => {
    const { do: instead } = next;
    next.do = undefined;
    return instead ? instead() : hasher.hash(password);
  };
  return { ...hasher, hash };
}

test("so is a fault of ours, and it is not tried again under that key", async () => {
  // Requirement 74: "incl. 5xx".
  const next: Parameters<typeof hasherThat>[0] = { do: undefined };
  const server = await createTestServer({}, { passwordHasher: hasherThat(next) });
  next.do = async () => Promise.reject(new TypeError("nobody foresaw this"));
  const first = await signUp(server, "key-1");
  assert.deepEqual([first.status, first.body["code"]], [500, "internal"]);
  const again = await signUp(server, "key-1");
  assert.deepEqual([again.status, again.text], [500, first.text]);
  assert.equal(await accounts(server), 0);
  assert.equal((await signUp(server, "key-2")).status, 201);
  assert.equal((await signUp(server, "key-1")).text, first.text);
});

test("who is told when to come again may come with the same key", async (t) => {
  const next: Parameters<typeof hasherThat>[0] = { do: undefined };
  const path = `${temporaryDirectory(t)}/tollgate.db`;
  const env = { DATABASE_URL: `sqlite:${path}`, LIMIT_SIGN_UP: "3/1h" };
  const server = await createTestServer(env, { passwordHasher: hasherThat(next) });
  next.do = async () => Promise.reject(new Problem("busy", { headers: { "retry-after": "1" } }));
  assert.equal((await signUp(server, "key-1")).body["code"], "busy");

  await sql`pragma busy_timeout = 20`.execute(server.platform.db);
  const other = new DatabaseSync(path);
  other.exec("begin immediate");
  const away = await signUp(server, "key-1");
  assert.deepEqual([away.status, away.body["code"], away.headers["retry-after"]], [503, "database-unavailable", "1"]);
  other.exec("rollback");
  other.close();

  const made = await signUp(server, "key-1");
  assert.equal(made.status, 201);
  assert.equal((await signUp(server, "key-1")).body["code"], "too-many-requests");
  server.clock.advance(3_600_000);
  assert.equal((await signUp(server, "key-1")).text, made.text);
});

test("a refusal that cannot be kept is told all the same", async (t) => {
  const path = `${temporaryDirectory(t)}/tollgate.db`;
  const server = await createTestServer({ DATABASE_URL: `sqlite:${path}` });
  await server.signUp(alice.email);
  await sql`pragma busy_timeout = 20`.execute(server.platform.db);
  const other = new DatabaseSync(path);
  other.exec("begin immediate");
  assert.equal((await signUp(server, "key-1")).body["code"], "email-taken");
  other.exec("rollback");
  other.close();
  await server.platform.db.deleteFrom("accounts").execute();
  assert.equal((await signUp(server, "key-1")).status, 201);
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

test("answers older than a day are purged in small steps, younger ones stay", async () => {
  const server = await createTestServer();
  await signUp(server, "old");
  const { db } = server.platform;
  const row = await db.selectFrom("idempotent_answers").selectAll().executeTakeFirstOrThrow();
  for (let index = 0; index < 1_100; index += 1) {
    await db
      .insertInto("idempotent_answers")
      .values({ ...row, id: `old-${index}` })
      .execute();
  }
  server.clock.advance(86_400_000);
  await signUp(server, "young", { ...alice, email: "bob@example.com" });
  const left = async (): Promise<number> => (await db.selectFrom("idempotent_answers").select("id").execute()).length;
  assert.equal(await purgeAnswers(server.platform), true, "there may be more");
  assert.equal(await left(), 602);
  assert.equal(await purgeAnswers(server.platform), true);
  assert.equal(await purgeAnswers(server.platform), false);
  assert.equal(await left(), 1);
  assert.equal((await signUp(server, "young", { ...alice, email: "bob@example.com" })).status, 201);
});
