import assert from "node:assert/strict";
import { createHash, generateKeyPairSync, type KeyObject } from "node:crypto";
import { after, test } from "node:test";
import { Worker } from "node:worker_threads";
import { createTestClock } from "../../../test/support/test-clock.ts";
import { databaseOf, openTestDatabase, openUrl, sharedDatabase } from "../../../test/support/test-database.ts";
import { readConfig } from "../../config.ts";
import type { Platform } from "../../platform/platform.ts";
import { createSecrets } from "../../platform/secrets.ts";
import { StartError } from "../../platform/start-error.ts";
import { openKeyring } from "./signing-keys.ts";
import { findSigningKeys, insertSigningKey } from "./signing-keys-store.ts";

type Parts = Pick<Platform, "db" | "secrets" | "clock" | "config">;

const secretKey = "the secret key of these tests, 32 bytes or more";

function configFor(algorithm: string): Platform["config"] {
  const read = readConfig({ DATABASE_URL: "sqlite::memory:", SECRET_KEY: secretKey, TOKEN_ALGORITHM: algorithm });
  assert.ok(read.ok);
  return read.config;
}

async function createParts(algorithm = "ES256"): Promise<Parts> {
  const clock = createTestClock();
  const db = await openTestDatabase({ after }, clock);
  return { db, clock, secrets: createSecrets(secretKey), config: configFor(algorithm) };
}

async function eventsOf({ db }: Pick<Parts, "db">): Promise<unknown[]> {
  const rows = await db.selectFrom("events").select(["type", "payload", "actor_id", "account_id"]).execute();
  return rows.map((row) => ({ ...row, payload: JSON.parse(row.payload) }));
}

function pkcs8(key: KeyObject): Buffer {
  return key.export({ format: "der", type: "pkcs8" });
}

test("the first start makes one key and says so; the second finds it", async () => {
  const parts = await createParts();
  const first = (await openKeyring(parts)).signingKey();
  const rows = await findSigningKeys(parts);
  assert.deepEqual(
    rows.map(({ id, algorithm, created_at: createdAt }) => ({ id, algorithm, createdAt })),
    [{ id: first.id, algorithm: "ES256", createdAt: parts.clock.now() }],
  );
  const event = { type: "signing-key/created", actor_id: null, account_id: null };
  assert.deepEqual(await eventsOf(parts), [{ ...event, payload: { key_id: first.id, algorithm: "ES256" } }]);

  const again = (await openKeyring(parts)).signingKey();
  assert.equal(again.id, first.id);
  assert.ok(again.privateKey.equals(first.privateKey));
  assert.deepEqual(await findSigningKeys(parts), rows);
  assert.equal((await eventsOf(parts)).length, 1);
});

test("the private key is nowhere in the database but encrypted", async () => {
  // V41
  const parts = await createParts();
  const { privateKey } = (await openKeyring(parts)).signingKey();
  const [row] = await findSigningKeys(parts);
  assert.ok(row);
  const { d = "" } = privateKey.export({ format: "jwk" });
  const text = JSON.stringify([row, await eventsOf(parts)]);
  assert.ok(d.length === 43 && !text.includes(d));
  const sealed = Buffer.from(row.private_key_encrypted);
  assert.ok(!sealed.includes(Buffer.from(d, "base64url")) && !sealed.includes(pkcs8(privateKey)));
});

test("those that start at the same moment end with one key", async () => {
  const parts = await createParts();
  const keyrings = await Promise.all([1, 2, 3, 4, 5].map(async () => openKeyring(parts)));
  const ids = new Set(keyrings.map((keyring) => keyring.signingKey().id));
  assert.equal(ids.size, 1);
  assert.deepEqual(
    (await findSigningKeys(parts)).map(({ id }) => id),
    [...ids],
  );
  assert.equal((await eventsOf(parts)).length, 1);
});

test("so do those that share a database and nothing else", async (t) => {
  const url = await sharedDatabase(t);
  // The database is there before, so that they meet at the key and not at the migrations.
  await using db = await openUrl(url, createTestClock());
  const ids = new Set(await Promise.all([1, 2, 3, 4].map(async () => openElsewhere(url))));
  assert.equal(ids.size, 1);
  assert.deepEqual(
    (await findSigningKeys({ db })).map(({ id }) => id),
    [...ids],
  );
  assert.equal((await eventsOf({ db })).length, 1);
});

/** Opens the keyring with a connection in a thread of its own; tells the id of its key. */
async function openElsewhere(url: string): Promise<string> {
  const source = (file: string): string => JSON.stringify(new URL(file, import.meta.url).href);
  const code = `
    const { parentPort, workerData } = require("node:worker_threads");
    (async () => {
      const { openKeyring } = await import(${source("signing-keys.ts")});
      const { openDatabase } = await import(${source("../../platform/database/database.ts")});
      const { createSecrets } = await import(${source("../../platform/secrets.ts")});
      const { systemClock: clock } = await import(${source("../../platform/clock.ts")});
      const db = await openDatabase(workerData.database, clock);
      const secrets = createSecrets(workerData.secretKey);
      const keyring = await openKeyring({ db, clock, secrets, config: workerData.config });
      parentPort.postMessage(keyring.signingKey().id);
      await db.destroy();
    })();`;
  const worker = new Worker(code, {
    eval: true,
    workerData: { database: databaseOf(url), secretKey, config: configFor("ES256") },
  });
  return new Promise((resolve, reject) => worker.once("message", resolve).once("error", reject));
}

test("another SECRET_KEY stops the start with a sentence, and nothing is changed", async () => {
  const parts = await createParts();
  await openKeyring(parts);
  const rows = await findSigningKeys(parts);
  const wrong = "another secret key, of 32 bytes or more";
  await assert.rejects(openKeyring({ ...parts, secrets: createSecrets(wrong) }), (error) => {
    assert.ok(error instanceof StartError);
    assert.match(error.message, /^SECRET_KEY is not the one .*: set the former one, or restore .*\.$/);
    assert.ok(!error.message.includes(wrong) && !error.message.includes(secretKey));
    return true;
  });
  assert.deepEqual(await findSigningKeys(parts), rows);
  assert.equal((await eventsOf(parts)).length, 1);
});

test("a key that is weaker than its row says, or of another kind, stops the start", async () => {
  // ASVS 11.2.3 (requirement 46)
  const wrong: readonly (readonly [string, "ES256" | "EdDSA", KeyObject])[] = [
    ["RSA-2048", "ES256", generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey],
    ["P-224", "ES256", generateKeyPairSync("ec", { namedCurve: "secp224r1" }).privateKey],
    ["secp256k1", "ES256", generateKeyPairSync("ec", { namedCurve: "secp256k1" }).privateKey],
    ["P-384", "ES256", generateKeyPairSync("ec", { namedCurve: "P-384" }).privateKey],
    ["Ed25519", "ES256", generateKeyPairSync("ed25519").privateKey],
    ["P-256", "EdDSA", generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey],
    ["Ed448", "EdDSA", generateKeyPairSync("ed448").privateKey],
    ["X25519", "EdDSA", generateKeyPairSync("x25519").privateKey],
  ];
  for (const [name, algorithm, key] of wrong) {
    const parts = await createParts(algorithm);
    await insertSigningKey(parts, {
      id: "weak",
      algorithm,
      public_jwk: "{}",
      private_key_encrypted: parts.secrets.encrypt("signing-key", pkcs8(key)),
      created_at: 1,
      signs_at: 1,
      retires_at: null,
    });
    await assert.rejects(openKeyring(parts), (error) => {
      assert.ok(error instanceof StartError, name);
      assert.match(error.message, /^The signing key weak is not of the kind that .* needs, .*: .*\.$/, name);
      return true;
    });
    assert.equal((await findSigningKeys(parts)).length, 1);
  }
  const short = readConfig({ SECRET_KEY: "k".repeat(31), TOKEN_ALGORITHM: "HS256" });
  assert.ok(!short.ok && short.faults.some((fault) => fault.startsWith("SECRET_KEY must have 32 ")));
});

for (const [algorithm, crv, members] of [
  ["ES256", "P-256", ["crv", "kty", "x", "y"]],
  ["EdDSA", "Ed25519", ["crv", "kty", "x"]],
] as const) {
  test(`${algorithm}: the public members are published, and no other; the kid is the thumbprint`, async () => {
    // RFC 7517 §4, RFC 7638 §3, RFC 8037 §2 (requirement 45), V41
    const keyring = await openKeyring(await createParts(algorithm));
    const key = keyring.signingKey();
    const { keys } = keyring.publicJwks();
    assert.equal(keys.length, 1);
    const [jwk] = keys;
    assert.ok(jwk);
    assert.deepEqual(Object.keys(jwk).sort(), [...members, "alg", "kid", "use"].sort());
    assert.deepEqual([jwk.alg, jwk.use, jwk.crv, jwk.kid], [algorithm, "sig", crv, key.id]);
    const canonical = JSON.stringify(Object.fromEntries(members.map((member) => [member, jwk[member as "x"]])));
    assert.equal(jwk.kid, createHash("sha256").update(canonical).digest("base64url"));
    assert.equal(keyring.find(key.id), key);
  });
}

test("HS256 signs with SECRET_KEY, which is neither published nor stored nor told by its kid", async () => {
  const parts = await createParts("HS256");
  const keyring = await openKeyring(parts);
  const { id, algorithm, privateKey } = keyring.signingKey();
  assert.equal(algorithm, "HS256");
  assert.equal(privateKey.export().toString(), secretKey);
  assert.deepEqual(keyring.publicJwks(), { keys: [] });
  assert.match(id, /^[\w-]{16}$/);
  assert.equal((await openKeyring(parts)).signingKey().id, id);
  const other = await openKeyring({ ...parts, secrets: createSecrets(`${secretKey}.`) });
  assert.notEqual(other.signingKey().id, id);
  assert.deepEqual([await findSigningKeys(parts), await eventsOf(parts)], [[], []]);
});

test("with another algorithm there is another key, and the former still verifies", async () => {
  const parts = await createParts("ES256");
  const former = (await openKeyring(parts)).signingKey();
  const keyring = await openKeyring({ ...parts, config: configFor("EdDSA") });
  assert.equal(keyring.signingKey().algorithm, "EdDSA");
  assert.equal(keyring.find(former.id)?.algorithm, "ES256");
  assert.deepEqual(
    keyring
      .publicJwks()
      .keys.map(({ alg }) => alg)
      .sort(),
    ["ES256", "EdDSA"],
  );
  const back = await openKeyring(parts);
  assert.equal(back.signingKey().id, former.id);
  assert.equal((await findSigningKeys(parts)).length, 2);
});

test("keys are found in memory: neither a known nor a made-up kid asks the database", async () => {
  const parts = await createParts();
  const keyring = await openKeyring(parts);
  const { id } = keyring.signingKey();
  await parts.db.destroy();
  assert.equal(keyring.find(id)?.id, id);
  for (const kid of ["", "../../", "' OR 1=1--", "__proto__", "constructor", id.toLowerCase(), `${id} `]) {
    assert.equal(keyring.find(kid), undefined, kid);
  }
  assert.equal(keyring.publicJwks().keys.length, 1);
});
