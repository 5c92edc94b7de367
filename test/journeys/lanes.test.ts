import assert from "node:assert/strict";
import { test } from "node:test";
import { createTestServer, type TestServer } from "../support/test-server.ts";

// Nobody can lock somebody else out by guessing (NIST SP 800-63B §3.2.2, ASVS 6.1.1; requirement 11).

const alice = { email: "alice@example.com", password: "password" };

async function logIn(server: TestServer, extra: object = {}, headers: Record<string, string> = {}) {
  return server.request("POST", "/auth/login", { body: { ...alice, ...extra }, headers });
}

async function exhaustStrangersLane(server: TestServer): Promise<void> {
  for (let count = 0; count < 10; count += 1) {
    assert.equal((await logIn(server, { password: `guess ${count}` })).body["code"], "wrong-credentials");
  }
  assert.equal(
    (await logIn(server)).body["code"],
    "too-many-requests",
    "a stranger must wait, even with the right one",
  );
}

test("a client that has signed in before gets in while strangers are guessing", async () => {
  const server = await createTestServer({ LIMIT_LOGIN_ACCOUNT: "10/15m" });
  const made = await server.request("POST", "/users/", { body: alice });
  const deviceToken = String(made.body["device_token"]);
  await exhaustStrangersLane(server);
  const known = await logIn(server, { device_token: deviceToken });
  assert.equal(known.status, 200);
  assert.equal(known.body["device_token"], deviceToken, "it stays the same device");
  server.clock.advance(15 * 60_000);
  assert.equal((await logIn(server)).status, 200, "and never for good");
});

test("a browser carries it as a cookie", async () => {
  const server = await createTestServer({ LIMIT_LOGIN_ACCOUNT: "10/15m" });
  const made = await server.request("POST", "/users/", { body: { ...alice, delivery: "cookie" } });
  const cookies = [made.headers["set-cookie"] ?? []].flat().map((one) => one.split(";")[0] ?? "");
  await exhaustStrangersLane(server);
  const device = cookies.find((one) => one.startsWith("tollgate_device=")) ?? "";
  assert.equal((await logIn(server, {}, { cookie: device })).status, 200);
});

test("a device has ten guesses of its own, and nobody else's", async () => {
  const server = await createTestServer({ LIMIT_LOGIN_ACCOUNT: "10/15m" });
  const first = String((await server.request("POST", "/users/", { body: alice })).body["device_token"]);
  const second = String((await logIn(server)).body["device_token"]);
  assert.notEqual(first, second);
  for (let count = 0; count < 10; count += 1) await logIn(server, { device_token: first, password: "wrong" });
  assert.equal((await logIn(server, { device_token: first })).status, 429);
  assert.equal((await logIn(server, { device_token: second })).status, 200);
  assert.equal((await logIn(server)).status, 200, "strangers have not guessed");
});

test("a device token is worth nothing for another account, changed, or instead of a password", async () => {
  const server = await createTestServer({ LIMIT_LOGIN_ACCOUNT: "10/15m" });
  const made = await server.request("POST", "/users/", { body: alice });
  const own = String(made.body["device_token"]);
  const mallory = await server.request("POST", "/users/", { body: { ...alice, email: "mallory@example.com" } });
  await exhaustStrangersLane(server);
  for (const token of [
    String(mallory.body["device_token"]),
    `${own.slice(0, -2)}AA`,
    own.slice(0, -4),
    "tgd_",
    "x",
    String(made.body["refresh_token"]),
  ]) {
    assert.equal((await logIn(server, { device_token: token })).status, 429, token);
  }
  assert.equal((await logIn(server, { device_token: own, password: "wrong" })).status, 401);
  assert.equal((await server.request("GET", "/users/me", { token: own })).body["code"], "token-invalid");
});

test("a thousand guesses at once, with and without device tokens, are ten in each lane", async () => {
  // V3: atomic
  const server = await createTestServer({ LIMIT_LOGIN_ACCOUNT: "10/15m", HASH_QUEUE: "2000" });
  const device = String((await server.request("POST", "/users/", { body: alice })).body["device_token"]);
  const before = server.platform.passwordHasher.stats().completed;
  const answers = await Promise.all(
    Array.from({ length: 1000 }, (_, index) =>
      logIn(server, { password: `guess ${index}`, ...(index % 2 === 0 ? { device_token: device } : {}) }),
    ),
  );
  assert.equal(answers.filter(({ status }) => status === 401).length, 20);
  assert.equal(answers.filter(({ status }) => status === 429).length, 980);
  assert.equal(server.platform.passwordHasher.stats().completed - before, 20);
});

test("strangers are answered later and later, known or unknown alike; a known device and a right password are not", async () => {
  const server = await createTestServer({ LIMIT_LOGIN_ACCOUNT: "10/15m" });
  const device = String((await server.request("POST", "/users/", { body: alice })).body["device_token"]);
  const growing = [200, 400, 800, 1600, 2000, 2000];
  for (let count = 0; count < 10; count += 1) await logIn(server, { password: "wrong" });
  assert.deepEqual(server.clock.waits, growing);
  for (let count = 0; count < 10; count += 1) await logIn(server, { email: "nobody@example.com", password: "wrong" });
  assert.deepEqual(server.clock.waits, [...growing, ...growing]);
  await logIn(server, { device_token: device, password: "wrong" });
  await logIn(server, { device_token: device });
  assert.equal(server.clock.waits.length, 12);
});
