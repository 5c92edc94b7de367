import assert from "node:assert/strict";
import { test } from "node:test";
import { parseDictionary, parseList } from "structured-headers";
import { createTestServer } from "../support/test-server.ts";

test("five a minute for each client_id, and the sixth waits exactly as long as it is told", async () => {
  const server = await createTestServer();
  const ask = () => server.request("GET", "/users/limited?client_id=X");
  for (let count = 0; count < 5; count += 1) {
    const { status, body, headers } = await ask();
    assert.equal(status, 200);
    assert.deepEqual(body, { message: "OK", client_id: "X", remaining: 4 - count, limit: 5, window_seconds: 60 });
    assert.equal(headers["ratelimit-policy"], '"limited";q=5;w=60');
    assert.equal(headers["ratelimit"], `"limited";r=${4 - count};t=${60 - 10 * count}`);
    server.clock.advance(10_000);
  }
  const refused = await ask();
  assert.equal(refused.status, 429);
  assert.equal(refused.body["code"], "too-many-requests");
  assert.equal(refused.body["gate"], "limit");
  assert.deepEqual(refused.body["violated-policies"], ["limited"]);
  assert.equal(refused.headers["retry-after"], "10");
  assert.equal(refused.headers["ratelimit"], '"limited";r=0;t=10');
  server.clock.advance(9_000);
  assert.equal((await ask()).status, 429, "a second less is not enough");
  server.clock.advance(1_000);
  assert.equal((await ask()).status, 200, "so long is enough; refused requests did not count");
  assert.equal((await ask()).status, 429, "a sliding window frees one place at a time");
  assert.equal((await server.request("GET", "/users/limited?client_id=Y")).status, 200, "another client has its own");
});

test("without a client_id there is nothing to count: 422", async () => {
  const server = await createTestServer();
  for (const query of [
    "",
    "?client_id=",
    "?client_id=a&client_id=b",
    `?client_id=${"x".repeat(257)}`,
    "?client_id[]=a",
  ]) {
    const answer = await server.request("GET", `/users/limited${query}`);
    assert.equal(answer.status, 422, query);
    assert.deepEqual(
      (answer.body["errors"] as { pointer: string }[]).map(({ pointer }) => pointer),
      ["?client_id"],
      query,
    );
  }
});

test("a hundred at once: five are accepted", async () => {
  const server = await createTestServer();
  const answers = await Promise.all(
    Array.from({ length: 100 }, () => server.request("GET", "/users/limited?client_id=burst")),
  );
  assert.equal(answers.filter(({ status }) => status === 200).length, 5);
  assert.equal(answers.filter(({ status }) => status === 429).length, 95);
});

test("a machine whose clock is set back or forward counts on", async () => {
  // X11
  const server = await createTestServer();
  for (let count = 0; count < 5; count += 1) await server.request("GET", "/users/limited?client_id=X");
  server.clock.jump(86_400_000);
  assert.equal((await server.request("GET", "/users/limited?client_id=X")).status, 429);
  server.clock.jump(-2 * 86_400_000);
  assert.equal((await server.request("GET", "/users/limited?client_id=X")).headers["retry-after"], "60");
});

test("the headers are structured fields", async () => {
  // draft-ietf-httpapi-ratelimit-headers-10 (requirement 73)
  const server = await createTestServer({ LIMIT_API: "600/60s" });
  const { headers } = await server.request("GET", "/");
  const [[policy, policyParameters] = []] = parseList(headers["ratelimit-policy"] ?? "");
  assert.equal(policy, "api");
  assert.deepEqual(
    [...(policyParameters as Map<string, unknown>)],
    [
      ["q", 600],
      ["w", 60],
    ],
  );
  const [[limit, parameters] = []] = parseList(headers["ratelimit"] ?? "");
  assert.equal(limit, "api");
  assert.deepEqual(
    [...(parameters as Map<string, unknown>)],
    [
      ["r", 599],
      ["t", 60],
    ],
  );
  assert.throws(() => parseDictionary(headers["ratelimit"] ?? ""), "a list, not a dictionary");
});

test("unknown paths and other methods are limited like known ones", async () => {
  const server = await createTestServer({ LIMIT_API: "3/60s" });
  assert.equal((await server.request("GET", "/nowhere")).status, 404);
  assert.equal((await server.request("GET", "/admin/backup.sql")).status, 404);
  assert.equal((await server.request("DELETE", "/health/live")).status, 405);
  const refused = await server.request("GET", "/elsewhere");
  assert.equal(refused.status, 429);
  assert.equal((await server.request("GET", "/errors")).status, 429, "the same count");
  assert.equal((await server.request("GET", "/health/live")).status, 200, "a probe is never slowed");
});

test("a user is counted by account, wherever the requests come from; a stranger by address", async () => {
  const server = await createTestServer({ LIMIT_API: "3/60s" });
  const alice = await server.signUp("alice@example.com");
  const bob = await server.signUp("bob@example.com");
  const me = (token: string | undefined, address: string) => server.request("GET", "/users/me", { token, address });
  for (const address of ["198.51.100.1", "198.51.100.2", "198.51.100.3"])
    assert.equal((await me(alice.token, address)).status, 200);
  assert.equal((await me(alice.token, "198.51.100.4")).status, 429);
  assert.equal((await me(bob.token, "198.51.100.1")).status, 200);
  // A made-up token counts for its address, never for the account it names.
  const forged = `${alice.token.slice(0, -4)}AAAA`;
  for (let count = 0; count < 3; count += 1) assert.equal((await me(forged, "198.51.100.9")).status, 401);
  assert.equal((await me(forged, "198.51.100.9")).status, 429);
  assert.equal((await me(bob.token, "198.51.100.9")).status, 200);
});

test("IPv6 counts by /64, mapped IPv4 as IPv4, and nobody's header is believed", async () => {
  // V34, V32, ASVS 4.1.3 (requirement 78)
  const server = await createTestServer({ LIMIT_API: "1/60s" });
  const from = async (address: string, headers: Record<string, string> = {}) =>
    (await server.request("GET", "/", { address, headers })).status;
  assert.equal(await from("2001:db8:1:2::1"), 200);
  assert.equal(await from("2001:db8:1:2:ffff::9"), 429);
  assert.equal(await from("2001:db8:1:3::1"), 200);
  assert.equal(await from("::ffff:192.0.2.1"), 200);
  assert.equal(await from("192.0.2.1"), 429);
  for (const name of [
    "x-forwarded-for",
    "forwarded",
    "x-real-ip",
    "cf-connecting-ip",
    "x-client-ip",
    "true-client-ip",
  ]) {
    assert.equal(await from("192.0.2.1", { [name]: "for=203.0.113.99, 203.0.113.99" }), 429, name);
  }
});

test("behind a named proxy the client is who the proxy says", async () => {
  const server = await createTestServer({ LIMIT_API: "1/60s", TRUSTED_PROXIES: "192.0.2.0/24" });
  const from = async (forwardedFor: string, address = "192.0.2.10") =>
    (await server.request("GET", "/", { address, headers: { "x-forwarded-for": forwardedFor } })).status;
  assert.equal(await from("203.0.113.1"), 200);
  assert.equal(await from("203.0.113.1"), 429);
  assert.equal(await from("203.0.113.2"), 200);
  assert.equal(await from("198.51.100.77, 203.0.113.2"), 429, "the left end is the client's own invention");
  assert.equal(await from("203.0.113.3", "198.51.100.5"), 200, "counted by its own address");
  assert.equal(await from("203.0.113.4", "198.51.100.5"), 429);
});

test("a thousand guesses at once are still only ten", async () => {
  // ASVS 6.3.1, NIST SP 800-63B §3.2.2 (requirement 11), V3: counted before the hash is computed.
  const server = await createTestServer({ LIMIT_LOGIN_ACCOUNT: "10/15m", HASH_QUEUE: "2000" });
  const alice = await server.signUp("alice@example.com");
  const before = server.platform.passwordHasher.stats().completed;
  const answers = await Promise.all(
    Array.from({ length: 1000 }, (_, index) =>
      server.request("POST", "/auth/login", {
        body: { email: index % 2 ? "Alice@example.com" : alice.email, password: `guess ${index}` },
      }),
    ),
  );
  assert.equal(answers.filter(({ status }) => status === 401).length, 10);
  assert.equal(answers.filter(({ status }) => status === 429).length, 990);
  assert.equal(server.platform.passwordHasher.stats().completed - before, 10);
  assert.equal(
    (await server.request("GET", "/users/me", { token: alice.token })).status,
    200,
    "who is signed in feels nothing",
  );
  const again = await server.request("POST", "/auth/reauthenticate", {
    token: alice.token,
    body: { password: alice.password },
  });
  assert.equal(again.status, 204, "a session has its own lane");
  server.clock.advance(15 * 60_000);
  await server.logIn(alice.email, alice.password);
});

test("being right is not counted: nobody is locked out by signing in often", async () => {
  const server = await createTestServer({ LIMIT_LOGIN_ACCOUNT: "3/15m" });
  const { email, password } = await server.signUp("alice@example.com");
  for (let count = 0; count < 8; count += 1) await server.logIn(email, password);
  for (let count = 0; count < 3; count += 1) {
    assert.equal((await server.request("POST", "/auth/login", { body: { email, password: "wrong" } })).status, 401);
  }
  const refused = await server.request("POST", "/auth/login", { body: { email, password } });
  assert.equal(refused.status, 429);
  assert.equal(refused.body["limit"], "login-account");
});

test("an unknown address is limited like a known one", async () => {
  // Otherwise the limit would tell which accounts exist (requirement 12).
  const server = await createTestServer({ LIMIT_LOGIN_ACCOUNT: "2/15m" });
  const guess = async () =>
    (await server.request("POST", "/auth/login", { body: { email: "nobody@example.com", password: "x" } })).status;
  assert.deepEqual([await guess(), await guess(), await guess()], [401, 401, 429]);
});

test("the same credentials in another dress are one bucket", async () => {
  // V35: what the limiter counts and what the handler reads is one parse.
  const server = await createTestServer({ LIMIT_LOGIN_ACCOUNT: "3/15m" });
  const text = (email: string): string => JSON.stringify({ email, password: "x" });
  const send = async (raw: { contentType: string; text: string }) =>
    (await server.request("POST", "/auth/login", { raw })).status;
  assert.equal(await send({ contentType: "application/json", text: text("alice@example.com") }), 401);
  assert.equal(await send({ contentType: "application/json; charset=UTF-8", text: text("ALICE@EXAMPLE.COM") }), 401);
  assert.equal(
    await send({ contentType: "Application/JSON", text: text("\\u0061lice@example.com").replaceAll("\\\\", "\\") }),
    401,
  );
  assert.equal(await send({ contentType: "application/json", text: text(" alice@example.com") }), 429);
  assert.equal(
    await send({ contentType: "application/x-www-form-urlencoded", text: "email=alice@example.com&password=x" }),
    415,
  );
});

test("each limit is a setting and can be off", async () => {
  const server = await createTestServer({ LIMIT_LIMITED: "off", LIMIT_SIGN_UP: "2/1h" });
  for (let count = 0; count < 8; count += 1) {
    const { status, body, headers } = await server.request("GET", "/users/limited?client_id=X");
    assert.equal(status, 200);
    assert.equal(body["remaining"], null);
    assert.equal(headers["ratelimit"], undefined);
  }
  await server.signUp("a@example.com");
  await server.signUp("b@example.com");
  const refused = await server.request("POST", "/users/", { body: { email: "c@example.com", password: "password" } });
  assert.equal(refused.status, 429);
  assert.equal(refused.headers["retry-after"], "3600");
});
