import assert from "node:assert/strict";
import { test } from "node:test";
import { createLocalJWKSet, type JSONWebKeySet, jwtVerify } from "jose";
import { listSigningKeys, rotateKeys } from "../../src/features/sessions/key-rotation.ts";
import { startServer, runTollgate } from "../support/server-process.ts";
import { sharedDatabase } from "../support/test-database.ts";
import { createTestServer, type TestServer } from "../support/test-server.ts";

const minute = 60_000;

function kidOf(token: string): string {
  return (JSON.parse(Buffer.from(token.split(".")[0] ?? "", "base64url").toString()) as { kid: string }).kid;
}

async function publishedBy(server: TestServer): Promise<string[]> {
  const { body } = await server.request("GET", "/.well-known/jwks.json");
  return (body["keys"] as { kid: string }[]).map(({ kid }) => kid);
}

test("a new key is published first, signs when every verifier has it, and the old one is honoured to its last token", async () => {
  // RFC 7517, RFC 8414 (requirement 45), V28, X14
  const server = await createTestServer();
  const { email, password, token } = await server.signUp("alice@example.com");
  const states = async () => (await listSigningKeys(server.platform)).map(({ state }) => state);
  assert.deepEqual(await states(), ["signing"]);

  const rotation = await rotateKeys(server.platform);
  assert.equal(rotation.outcome, "rotated");
  const { signsAt, formerRetiresAt } = rotation.outcome === "rotated" ? rotation : { signsAt: 0, formerRetiresAt: 0 };
  assert.equal(signsAt - server.clock.now(), 330_000, "JWKS_MAX_AGE and the time a process takes to notice");
  assert.deepEqual(await states(), ["signing", "published"]);
  assert.equal((await rotateKeys(server.platform)).outcome, "pending");

  const reload = async (): Promise<void> => server.app.reloadKeys();
  await reload();
  assert.equal((await publishedBy(server)).length, 2);
  assert.equal(kidOf(await server.logIn(email, password)), kidOf(token), "not yet");
  server.clock.advance(330_000);
  const fresh = await server.logIn(email, password);
  assert.notEqual(kidOf(fresh), kidOf(token));
  assert.deepEqual(await states(), ["verifying", "signing"]);
  assert.equal((await server.request("GET", "/users/me", { token })).status, 200, "its last tokens are still good");

  server.clock.advance(17 * minute);
  assert.deepEqual(await states(), ["retired", "signing"]);
  const [former, signing] = await listSigningKeys(server.platform);
  assert.deepEqual([former?.safeToRetireSince, signing?.safeToRetireSince], [formerRetiresAt, null]);
  assert.deepEqual(await publishedBy(server), [kidOf(fresh)]);
  assert.equal(
    (await server.request("GET", "/users/me", { token })).body["code"],
    "token-invalid",
    "a retired key is refused",
  );
  const renewed = await server.logIn(email, password);
  assert.equal((await server.request("GET", "/users/me", { token: renewed })).status, 200);
});

test("the list tells who still uses a key", async () => {
  const server = await createTestServer();
  const { token } = await server.signUp("alice@example.com");
  for (let count = 0; count < 3; count += 1) await server.request("GET", "/users/me", { token });
  await server.request("GET", "/users/me", { token: `${token.slice(0, -3)}AAA` });
  await server.app.flushKeyUsage();
  const [key] = await listSigningKeys(server.platform);
  assert.equal(key?.tokensSeenLastHour, 3, "a forged token is nobody's use");
  assert.equal(key.tokensSeenLastDay, 3);
  assert.equal(key.lastSeenAt, server.clock.now());
  assert.equal(key.safeToRetireSince, null);
  server.clock.advance(26 * 60 * minute);
  const [later] = await listSigningKeys(server.platform);
  assert.deepEqual([later?.tokensSeenLastHour, later?.tokensSeenLastDay], [0, 0]);
});

test("what two processes see of a key adds up", async (t) => {
  const env = { DATABASE_URL: await sharedDatabase(t), SECRET_KEY: "k".repeat(48) };
  const first = await createTestServer(env);
  const second = await createTestServer(env, { clock: first.clock });
  const { token } = await first.signUp("alice@example.com");
  for (const server of [first, second, second]) await server.request("GET", "/users/me", { token });
  await Promise.all([first.app.flushKeyUsage(), second.app.flushKeyUsage()]);
  const [key] = await listSigningKeys(second.platform);
  assert.equal(key?.tokensSeenLastHour, 3);
  await Promise.all([first.close(), second.close()]);
});

test("rotating under load, with two servers on one database and a verifier that caches: no false 401", async (t) => {
  // X14
  const env = {
    JWKS_MAX_AGE: "1s",
    LIMIT_API: "off",
    LIMIT_LOGIN_ADDRESS: "off",
    LIMIT_SIGN_UP: "off",
    PUBLIC_URL: "http://localhost:8000",
    DATABASE_URL: await sharedDatabase(t),
    SECRET_KEY: "0123456789abcdef0123456789abcdef",
  };
  const one = await startServer(t, { env });
  const two = await startServer(t, { env });
  const post = async (url: string, path: string): Promise<string> => {
    const body = JSON.stringify({ email: "alice@example.com", password: "password" });
    const response = await fetch(url + path, { method: "POST", headers: { "content-type": "application/json" }, body });
    return ((await response.json()) as { token: string }).token;
  };
  await post(one.url, "/users/");

  // An independent verifier: it knows only the published keys, and keeps them as long as it is told to.
  let cached: { readonly keys: ReturnType<typeof createLocalJWKSet>; readonly until: number } | undefined;
  const verifyElsewhere = async (token: string): Promise<void> => {
    if (cached === undefined || performance.now() >= cached.until) {
      const askedAt = performance.now();
      const response = await fetch(`${two.url}/.well-known/jwks.json`);
      const keys = createLocalJWKSet((await response.json()) as JSONWebKeySet);
      const maxAgeSeconds = Number(/max-age=(\d+)/.exec(response.headers.get("cache-control") ?? "")?.[1]);
      assert.ok(maxAgeSeconds <= 1);
      cached = { keys, until: askedAt + maxAgeSeconds * 1000 };
    }
    await jwtVerify(token, cached.keys, {
      issuer: "http://localhost:8000",
      audience: "http://localhost:8000",
      typ: "at+jwt",
    });
  };

  const kids = new Set<string>();
  let [requests, rotations, signsAt] = [0, 0, 0];
  while (rotations < 3 || kids.size < 3) {
    // The next one as soon as the last one signs.
    if (Date.now() > signsAt) {
      const { exitCode, stdout, stderr } = await runTollgate(["keys", "rotate", "--json"], env);
      assert.equal(exitCode, 0, stderr);
      signsAt = Date.parse((JSON.parse(stdout) as { signs_at: string }).signs_at);
      rotations += 1;
    }
    const token = await post(requests % 2 === 0 ? one.url : two.url, "/auth/login");
    kids.add(kidOf(token));
    await verifyElsewhere(token);
    for (const { url } of [one, two]) {
      const { status } = await fetch(`${url}/users/me`, { headers: { authorization: `Bearer ${token}` } });
      assert.equal(status, 200, `after ${requests} requests and ${rotations} rotations`);
      requests += 1;
    }
  }
});
