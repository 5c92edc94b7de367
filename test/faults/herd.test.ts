import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import type { Kysely } from "kysely";
import { rotateKeys } from "../../src/features/sessions/key-rotation.ts";
import { openDatabase } from "../../src/platform/database/database.ts";
import type { Tables } from "../../src/platform/database/tables.ts";
import { temporaryDirectory } from "../support/server-process.ts";
import { createTestServer, type TestServer } from "../support/test-server.ts";

// X20: what is loaded when it is first needed is loaded once, however many need it at that moment.

type Counted = { readonly db: Kysely<Tables>; readonly keyReadings: () => number };

/** The database of a process that starts now; tells how often the signing keys were read. */
async function openCounted(path: string): Promise<Counted> {
  let readings = 0;
  const db = await openDatabase({ kind: "sqlite", path }, { now: () => 1 });
  const counting = db.withPlugin({
    transformQuery: ({ node }) => {
      if (node.kind === "SelectQueryNode" && JSON.stringify(node.from).includes('"signing_keys"')) readings += 1;
      return node;
    },
    transformResult: async ({ result }) => result,
  });
  return { db: counting, keyReadings: () => readings };
}

function countSignatureChecks(t: TestContext): () => number {
  const verify = t.mock.method(crypto.subtle, "verify");
  return () => verify.mock.callCount();
}

/** A cold server on a database with people, and a token of each. */
async function startCold(
  t: TestContext,
): Promise<Counted & { readonly server: TestServer; readonly tokens: string[] }> {
  // What is read by the clock's turn is not what is counted here.
  t.mock.timers.enable({ apis: ["setInterval"] });
  const path = `${temporaryDirectory(t)}/tollgate.db`;
  const env = { DATABASE_URL: `sqlite:${path}`, SECRET_KEY: "0123456789abcdef0123456789abcdef", HASH_QUEUE: "500" };
  const before = await createTestServer(env);
  const tokens: string[] = [];
  for (let person = 0; person < 20; person += 1) {
    tokens.push((await before.signUp(`p${person}@example.com`, "password")).token);
  }
  const counted = await openCounted(path);
  return { ...counted, server: await createTestServer(env, { db: counted.db, clock: before.clock }), tokens };
}

test("a herd after a restart: the keys are read once, and each token's signature is checked once", async (t) => {
  const { server, tokens, keyReadings } = await startCold(t);
  const signatureChecks = countSignatureChecks(t);
  const herd = Array.from({ length: 400 }, (_, index) => {
    const person = index % 20;
    if (index % 8 === 0) return server.request("GET", "/.well-known/jwks.json");
    if (index % 8 === 1) {
      const body = { email: `p${person}@example.com`, password: "password" };
      return server.request("POST", "/auth/login", { body });
    }
    return server.request("GET", "/users/me", { token: tokens[person] });
  });
  assert.deepEqual([...new Set((await Promise.all(herd)).map(({ status }) => status))], [200]);
  assert.equal(keyReadings(), 1, "at the start");
  const asking = new Set(Array.from({ length: 400 }, (_, index) => index).filter((index) => index % 8 > 1)).values();
  assert.equal(signatureChecks(), new Set([...asking].map((index) => index % 20)).size);
  const { running, queued, refused } = server.platform.passwordHasher.stats();
  assert.deepEqual([running, queued, refused], [0, 0, 0]);
});

test("a machine that slept reads the keys once for all who ask, and finds the one made meanwhile", async (t) => {
  const { server, tokens, keyReadings } = await startCold(t);
  const other = await createTestServer(
    { SECRET_KEY: "0123456789abcdef0123456789abcdef" },
    { db: server.platform.db.withoutPlugins(), clock: server.clock },
  );
  const rotation = await rotateKeys(other.platform);
  assert.equal(rotation.outcome, "rotated");
  server.clock.advance(8 * 3_600_000);
  await other.app.reloadKeys();
  const login = { body: { email: "p0@example.com", password: "password" } };
  const fresh = String((await other.request("POST", "/auth/login", login)).body["token"]);

  const before = keyReadings();
  const made = `${Buffer.from('{"alg":"ES256","kid":"made-up","typ":"at+jwt"}').toString("base64url")}.e30.AAAA`;
  const herd = Array.from({ length: 300 }, async (_, index) => {
    if (index % 3 === 0) return (await server.request("GET", "/.well-known/jwks.json")).text;
    const token = index % 3 === 1 ? fresh : made;
    const { status, body } = await server.request("GET", "/users/me", { token });
    return `${index % 3} ${status} ${String(body["code"])}`;
  });
  const answers = new Set(await Promise.all(herd));
  const jwks = (await server.request("GET", "/.well-known/jwks.json")).text;
  assert.ok(rotation.outcome === "rotated" && jwks.includes(rotation.keyId));
  assert.deepEqual(
    answers,
    new Set([jwks, "1 200 undefined", "2 401 token-invalid"]),
    "nobody is refused for our being late",
  );
  assert.equal(keyReadings() - before, 1);
  await server.request("GET", "/users/me", { token: made });
  assert.equal(keyReadings() - before, 1, "a made-up kid costs nothing while the reading is fresh");
  assert.equal((await server.request("GET", "/users/me", { token: tokens[1] })).body["code"], "token-invalid");
});

test("with the database away the herd is one try a second, and verifiers keep what they get for less and less", async (t) => {
  const { server, tokens, keyReadings } = await startCold(t);
  const published = (await server.request("GET", "/.well-known/jwks.json")).text;
  const before = keyReadings();
  server.clock.advance(130_000);
  await server.platform.db.destroy();
  const ask = async (): Promise<string[]> => {
    const herd = Array.from({ length: 50 }, () => server.request("GET", "/.well-known/jwks.json"));
    const answers = await Promise.all(herd);
    for (const { status, text } of answers) assert.deepEqual([status, text], [200, published]);
    return [...new Set(answers.map(({ headers }) => headers["cache-control"] ?? ""))];
  };
  assert.deepEqual(await ask(), ["public, max-age=200"], "300 seconds, less the 100 that the reading is late");
  assert.deepEqual(await ask(), ["public, max-age=200"]);
  assert.equal(keyReadings() - before, 1);
  const made = `${Buffer.from('{"alg":"ES256","kid":"made-up","typ":"at+jwt"}').toString("base64url")}.e30.AAAA`;
  const unknown = await server.request("GET", "/users/me", { token: made });
  assert.deepEqual([unknown.status, unknown.body["code"]], [503, "database-unavailable"], "it may be a key of today");
  assert.equal((await server.request("GET", "/users/me", { token: tokens[0] })).status, 503);
  assert.equal(keyReadings() - before, 1);
  server.clock.advance(1_000);
  assert.deepEqual(await ask(), ["public, max-age=199"]);
  assert.equal(keyReadings() - before, 2);
  server.clock.advance(3_600_000);
  assert.deepEqual(await ask(), ["public, max-age=0"]);
});
