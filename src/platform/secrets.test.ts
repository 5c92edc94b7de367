import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { chmodSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { promisify } from "node:util";
import { createSecrets, loadOrCreateSecretKey } from "./secrets.ts";
import { StartError } from "./start-error.ts";

const secretKey = "0123456789abcdef0123456789abcdef";
const plain = Buffer.from("a private key");

function temporaryDirectory(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), "tollgate-secrets-"));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

// ASVS 11.3.2 (authenticated encryption), 13.3.1
test("what is sealed opens with the same purpose and key, and with nothing else", () => {
  const secrets = createSecrets(secretKey);
  const sealed = secrets.encrypt("signing-key", plain);
  assert.deepEqual(Buffer.from(secrets.decrypt("signing-key", sealed)), plain);
  assert.deepEqual(Buffer.from(createSecrets(Buffer.from(secretKey)).decrypt("signing-key", sealed)), plain);
  assert.throws(() => secrets.decrypt("other", sealed));
  assert.throws(() => createSecrets(`${secretKey}x`).decrypt("signing-key", sealed));
});

test("a sealed box with any changed byte, cut or lengthened, does not open", () => {
  const secrets = createSecrets(secretKey);
  const sealed = secrets.encrypt("signing-key", plain);
  for (const [index, byte] of sealed.entries()) {
    const changed = Uint8Array.from(sealed);
    changed[index] = byte ^ 1;
    assert.throws(() => secrets.decrypt("signing-key", changed), `byte ${index}`);
  }
  for (let length = 0; length < sealed.length; length += 1) {
    assert.throws(() => secrets.decrypt("signing-key", sealed.subarray(0, length)), `cut to ${length}`);
  }
  assert.throws(() => secrets.decrypt("signing-key", Buffer.concat([sealed, Buffer.of(0)])));
});

test("the same text is never sealed twice alike, and the empty text can be sealed", () => {
  const secrets = createSecrets(secretKey);
  assert.notDeepEqual(secrets.encrypt("p", plain), secrets.encrypt("p", plain));
  assert.equal(secrets.decrypt("p", secrets.encrypt("p", new Uint8Array())).length, 0);
});

test("a tag is of its purpose, text and key, and is compared whole", () => {
  const secrets = createSecrets(secretKey);
  const tag = secrets.tag("cursor", "7");
  assert.match(tag, /^[\w-]{22}$/);
  assert.equal(secrets.isTag("cursor", "7", tag), true);
  const others = [
    secrets.tag("cursor", "8"),
    secrets.tag("other", "7"),
    createSecrets(`${secretKey}x`).tag("cursor", "7"),
    "",
    tag.slice(1),
    `${tag}=`,
    tag.toLowerCase(),
    "ü".repeat(22),
  ];
  for (const other of others) assert.equal(secrets.isTag("cursor", "7", other), false, other);
});

test("the secret key can be read and not changed from outside", () => {
  const secrets = createSecrets(secretKey);
  secrets.secretKey().fill(0);
  assert.equal(Buffer.from(secrets.secretKey()).toString(), secretKey);
});

test("random text has the bytes asked for and does not repeat", () => {
  const { randomText } = createSecrets(secretKey);
  assert.equal(Buffer.from(randomText(16), "base64url").length, 16);
  assert.equal(new Set(Array.from({ length: 100 }, () => randomText(16))).size, 100);
});

test("a secret is made once, for its owner's eyes alone, and nothing else is left behind", (t) => {
  const directory = join(temporaryDirectory(t), "data");
  const made = loadOrCreateSecretKey(directory);
  assert.ok(Buffer.byteLength(made) >= 32);
  assert.equal(loadOrCreateSecretKey(directory), made);
  assert.deepEqual(readdirSync(directory), ["secret.key"]);
  assert.equal(statSync(directory).mode & 0o777, 0o700);
  assert.equal(statSync(join(directory, "secret.key")).mode & 0o777, 0o600);
});

test("without a directory each process has a fresh secret", () => {
  assert.notEqual(loadOrCreateSecretKey(undefined), loadOrCreateSecretKey(undefined));
});

test("processes that start together agree on one secret", async (t) => {
  const directory = join(temporaryDirectory(t), "data");
  const source = `import { loadOrCreateSecretKey } from ${JSON.stringify(`${import.meta.dirname}/secrets.ts`)};
    process.stdout.write(loadOrCreateSecretKey(process.argv[1]));`;
  const run = () => promisify(execFile)(process.execPath, ["--input-type=module", "--eval", source, directory]);
  const outputs = await Promise.all(Array.from({ length: 6 }, run));
  assert.deepEqual([...new Set(outputs.map(({ stdout }) => stdout))], [loadOrCreateSecretKey(directory)]);
  assert.deepEqual(readdirSync(directory), ["secret.key"]);
});

test("a secret that others can read, or of a bad length, is refused with a sentence and left as it is", (t) => {
  const directory = temporaryDirectory(t);
  const path = join(directory, "secret.key");
  const cases = [
    { text: secretKey, mode: 0o640, says: /Others can read the secret .*chmod 600/ },
    { text: secretKey, mode: 0o604, says: /Others can read/ },
    { text: "short", mode: 0o600, says: /must have 32 to 1024 bytes and has 5: remove it/ },
    { text: `${secretKey.slice(1)}\n`, mode: 0o600, says: /must have 32 to 1024 bytes/ },
    { text: "", mode: 0o600, says: /has 0/ },
    { text: "x".repeat(1025), mode: 0o600, says: /has 1025/ },
  ];
  for (const { text, mode, says } of cases) {
    writeFileSync(path, text);
    chmodSync(path, mode);
    assert.throws(
      () => loadOrCreateSecretKey(directory),
      (error) => {
        assert.ok(error instanceof StartError);
        assert.match(error.message, says);
        return !error.message.includes(secretKey);
      },
    );
    assert.equal(readFileSync(path, "utf8"), text);
  }
});

test("a data directory that cannot be made is one sentence", (t) => {
  const file = join(temporaryDirectory(t), "file");
  writeFileSync(file, "");
  assert.throws(() => loadOrCreateSecretKey(join(file, "data")), {
    name: "StartError",
    message: /^The secret .*secret\.key cannot be read or written \(ENOTDIR\): .*SECRET_KEY\.$/,
  });
});
