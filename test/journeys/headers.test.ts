import assert from "node:assert/strict";
import { test } from "node:test";
import { createTestServer } from "../support/test-server.ts";

const production = {
  TOLLGATE_MODE: "production",
  PUBLIC_URL: "https://auth.example.com",
  SECRET_KEY: "0123456789abcdef0123456789abcdef",
  ARGON2_MEMORY_KIB: "19456",
  ARGON2_PASSES: "2",
};

test("in development each answer tells its way through the gates", async () => {
  const server = await createTestServer();
  const { token } = await server.signUp("alice@example.com");
  const gatesOf = async (url: string, options = {}) =>
    ((await server.request("GET", url, options)).headers["server-timing"] ?? "")
      .split(/, (?=\w+;)/)
      .map((entry) => entry.replace(/: .*/, "").replace(';desc="', " "));
  assert.deepEqual(await gatesOf("/users/me", { token }), [
    "route passed",
    "limit passed",
    "authenticate passed",
    "authorize passed",
    "validate passed",
    "handle passed",
    "depend passed",
  ]);
  assert.deepEqual(await gatesOf("/users/me"), ["route passed", "limit passed", "authenticate refused"]);
  assert.deepEqual(await gatesOf("/nowhere"), ["route refused"]);
  assert.deepEqual(await gatesOf("/admin/users", { token }), [
    "route passed",
    "limit passed",
    "authenticate passed",
    "authorize refused",
  ]);
  assert.deepEqual((await gatesOf("/users/x", { token })).at(-1), "validate refused");
  assert.deepEqual((await gatesOf("/users/9", { token })).at(-1), "handle refused");
});

test("in production no request can switch that on, and https is demanded for the time to come", async () => {
  // ASVS 3.4.1 (requirement 75), 13.4.2 (requirement 86)
  const server = await createTestServer(production);
  for (const headers of [
    {},
    { "server-timing": "1" },
    { "x-debug": "1" },
    { "x-tollgate-mode": "development" },
    { cookie: "debug=1" },
  ]) {
    for (const url of ["/", "/users/me", "/nowhere", "/errors?debug=1&server-timing=1", "/docs"]) {
      const answer = await server.request("GET", url, { headers });
      assert.equal(answer.headers["server-timing"], undefined, url);
      assert.match(answer.headers["strict-transport-security"] ?? "", /^max-age=31536000/);
    }
  }
  const plain = await createTestServer();
  assert.equal(
    (await plain.request("GET", "/")).headers["strict-transport-security"],
    undefined,
    "not over plain http",
  );
});

test("answers about a person are not kept by any cache; public keys are", async () => {
  // ASVS 14.3.2 (requirement 75), RFC 6749 §5.1, requirement 45
  const server = await createTestServer();
  const { token, email, password } = await server.signUp("alice@example.com");
  for (const answer of [
    await server.request("GET", "/users/me", { token }),
    await server.request("POST", "/auth/login", { body: { email, password } }),
    await server.request("GET", "/users/me"),
  ])
    assert.equal(answer.headers["cache-control"], "no-store");
  const keys = await server.request("GET", "/.well-known/jwks.json");
  assert.equal(keys.headers["cache-control"], "public, max-age=300");
  const members = (keys.body["keys"] as object[]).map((key) => Object.keys(key).toSorted());
  assert.deepEqual(members, [["alg", "crv", "kid", "kty", "use", "x", "y"]]); // V41
  const again = await server.request("GET", "/.well-known/jwks.json", {
    headers: { "if-none-match": keys.headers["etag"] ?? "" },
  });
  assert.equal(again.status, 304);
  assert.equal(again.text, "");
});

test("another origin gets nothing unless it is listed, to the letter", async () => {
  // ASVS 3.4.2 (requirement 76)
  const closed = await createTestServer();
  const open = await createTestServer({ CORS_ORIGINS: "https://app.example.com" });
  const ask = async (server: typeof open, origin: string) =>
    (await server.request("GET", "/health/live", { headers: { origin } })).headers;
  assert.equal((await ask(closed, "https://app.example.com"))["access-control-allow-origin"], undefined);
  const allowed = await ask(open, "https://app.example.com");
  assert.equal(allowed["access-control-allow-origin"], "https://app.example.com");
  assert.equal(allowed["access-control-allow-credentials"], undefined);
  assert.match(allowed["vary"] ?? "", /\bOrigin\b/i);
  for (const origin of [
    "null",
    "https://app.example.com.evil.example",
    "https://evilapp.example.com",
    "http://app.example.com",
    "https://app.example.com:8443",
    "https://APP.example.com",
    "https://app.example.com/",
  ]) {
    assert.equal((await ask(open, origin))["access-control-allow-origin"], undefined, origin);
  }
  const preflight = await open.app.inject({
    method: "OPTIONS",
    url: "/users/me",
    headers: {
      origin: "https://app.example.com",
      "access-control-request-method": "PATCH",
      "access-control-request-headers": "authorization",
    },
  });
  assert.equal(preflight.statusCode, 204);
  assert.match(String(preflight.headers["access-control-allow-methods"]), /PATCH/);
});

test("links and issuer come from the setting, whatever headers say", async () => {
  // V8, requirement 78
  const server = await createTestServer({ PUBLIC_URL: "https://auth.example.com" });
  const headers = {
    host: "evil.example",
    "x-forwarded-host": "evil.example",
    "x-forwarded-proto": "http",
    forwarded: "host=evil.example",
  };
  const problem = await server.request("GET", "/users/me", { headers });
  assert.equal(problem.body["type"], "https://auth.example.com/errors/token-missing");
  const status = await server.request("GET", "/", { headers });
  assert.doesNotMatch(status.text, /evil/);
});
