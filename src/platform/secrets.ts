import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  hkdfSync,
  randomBytes,
  randomUUID,
  timingSafeEqual,
} from "node:crypto";
import {
  closeSync,
  fstatSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { syncDirectory } from "./data-directory.ts";
import { StartError } from "./start-error.ts";

/**
 * What is derived from `SECRET_KEY`, and randomness: the only door to either.
 * Each purpose has a key of its own (HKDF-SHA-256, RFC 5869), so that nothing made for one passes for another.
 */
export type Secrets = {
  /** `SECRET_KEY` itself, as bytes: the HS256 key. For nothing else. */
  readonly secretKey: () => Uint8Array;
  /** Authenticated encryption (AES-256-GCM) under the key of this purpose. */
  readonly encrypt: (purpose: string, plain: Uint8Array) => Uint8Array;
  /** Throws when the bytes were not made by `encrypt` with the same purpose and SECRET_KEY. */
  readonly decrypt: (purpose: string, sealed: Uint8Array) => Uint8Array;
  /** A tag of 16 bytes (HMAC-SHA-256, cut) as base64url. */
  readonly tag: (purpose: string, text: string) => string;
  /** A message authentication code of 32 bytes (HMAC-SHA-256). Compare with `isSame`. */
  readonly mac: (purpose: string, message: Uint8Array) => Uint8Array;
  readonly randomBytes: (bytes: number) => Uint8Array;
  /** Compares in constant time. */
  readonly isSame: (one: Uint8Array, other: Uint8Array) => boolean;
  /** Compares in constant time. */
  readonly isTag: (purpose: string, text: string, tag: string) => boolean;
  /** Text of `bytes` random bytes, base64url. */
  readonly randomText: (bytes: number) => string;
  /** A random UUID (RFC 9562 §5.4). Cheap: on the path of every request. */
  readonly uuid: () => string;
};

const sealVersion = 1;
const nonceBytes = 12;
const gcmTagBytes = 16;
const purposesMax = 1000;

/**
 * Secrets derived from this key, which is text of 32 bytes or more.
 * A sealed box is: version (1 byte), nonce (12 random bytes), ciphertext, GCM tag (16 bytes).
 */
export function createSecrets(secretKey: Uint8Array | string): Secrets {
  const keyBytes = Buffer.from(secretKey);
  const keys = new Map<string, Buffer>();
  const keyFor = (use: "seal" | "tag", purpose: string): Buffer => {
    const info = `tollgate/${use}/${purpose}`;
    const known = keys.get(info);
    if (known !== undefined) return known;
    const key = Buffer.from(hkdfSync("sha256", keyBytes, "", info, 32));
    if (keys.size < purposesMax) keys.set(info, key);
    return key;
  };
  const tag = (purpose: string, text: string) => {
    return createHmac("sha256", keyFor("tag", purpose)).update(text).digest().subarray(0, 16).toString("base64url");
  };
  return {
    secretKey: () => Uint8Array.from(keyBytes),
    encrypt: (purpose, plain) => seal(keyFor("seal", purpose), purpose, plain),
    decrypt: (purpose, sealed) => open(keyFor("seal", purpose), purpose, sealed),
    tag,
    isTag: (purpose, text, given) => isSameText(tag(purpose, text), given),
    mac: (purpose, message) => createHmac("sha256", keyFor("tag", purpose)).update(message).digest(),
    randomBytes: (bytes) => randomBytes(bytes),
    isSame: (one, other) => one.length === other.length && timingSafeEqual(one, other),
    randomText: (bytes) => randomBytes(bytes).toString("base64url"),
    uuid: () => randomUUID(),
  };
}

/** AES-256-GCM (NIST SP 800-38D). Random nonces: far fewer than 2^32 boxes are ever made with one key. */
function seal(key: Uint8Array, purpose: string, plain: Uint8Array): Uint8Array {
  const nonce = randomBytes(nonceBytes);
  const cipher = createCipheriv("aes-256-gcm", key, nonce).setAAD(Buffer.from(purpose));
  const ciphertext = Buffer.concat([cipher.update(plain), cipher.final()]);
  return Buffer.concat([Buffer.of(sealVersion), nonce, ciphertext, cipher.getAuthTag()]);
}

function open(key: Uint8Array, purpose: string, sealed: Uint8Array): Uint8Array {
  if (sealed.length < 1 + nonceBytes + gcmTagBytes || sealed[0] !== sealVersion) {
    throw new Error(`these bytes were not sealed for ${purpose}`);
  }
  const nonce = sealed.subarray(1, 1 + nonceBytes);
  const decipher = createDecipheriv("aes-256-gcm", key, nonce, { authTagLength: gcmTagBytes });
  decipher.setAAD(Buffer.from(purpose)).setAuthTag(sealed.subarray(-gcmTagBytes));
  return Buffer.concat([decipher.update(sealed.subarray(1 + nonceBytes, -gcmTagBytes)), decipher.final()]);
}

function isSameText(expected: string, given: string): boolean {
  const [expectedBytes, givenBytes] = [Buffer.from(expected), Buffer.from(given)];
  return expectedBytes.length === givenBytes.length && timingSafeEqual(expectedBytes, givenBytes);
}

const secretKeyFileBytes = { min: 32, max: 1024 };

export function secretKeyPath(dataDirectory: string): string {
  return join(dataDirectory, "secret.key");
}

/**
 * The secret of a development server: read from `secret.key` in the data directory, made there on the first start.
 * Without a directory a fresh one, which dies with the process. Throws `StartError`.
 */
export function loadOrCreateSecretKey(dataDirectory: string | undefined): string {
  if (dataDirectory === undefined) return makeSecretKey();
  const path = secretKeyPath(dataDirectory);
  return withSentence(path, () => {
    mkdirSync(dataDirectory, { recursive: true, mode: 0o700 });
    return readSecretKey(path) ?? createSecretKey(path);
  });
}

/** The secret that is kept there; undefined when there is none. Makes nothing. Throws `StartError`. */
export function findSecretKey(dataDirectory: string): string | undefined {
  const path = secretKeyPath(dataDirectory);
  return withSentence(path, () => readSecretKey(path));
}

function withSentence<T>(path: string, use: () => T): T {
  try {
    return use();
  } catch (error) {
    if (error instanceof StartError || !isSystemError(error)) throw error;
    const cause = `The secret ${path} cannot be read or written (${error.code})`;
    throw new StartError(`${cause}: let this user write to the directory, or set SECRET_KEY.`, { cause: error });
  }
}

function makeSecretKey(): string {
  return randomBytes(32).toString("base64url");
}

/** undefined when there is no such file. */
function readSecretKey(path: string): string | undefined {
  let file: number;
  try {
    file = openSync(path, "r");
  } catch (error) {
    if (isSystemError(error) && error.code === "ENOENT") return undefined;
    throw error;
  }
  try {
    return checkedSecretKey(path, file);
  } finally {
    closeSync(file);
  }
}

function checkedSecretKey(path: string, file: number): string {
  const { mode, size } = fstatSync(file);
  if (process.platform !== "win32" && (mode & 0o077) !== 0) {
    throw new StartError(`Others can read the secret ${path}: run "chmod 600 ${path}", or remove it to get a new one.`);
  }
  const secretKey = size > secretKeyFileBytes.max ? "" : readFileSync(file, "utf8").trim();
  if (Buffer.byteLength(secretKey) >= secretKeyFileBytes.min) return secretKey;
  const bounds = `${secretKeyFileBytes.min} to ${secretKeyFileBytes.max} bytes`;
  throw new StartError(`The secret ${path} must have ${bounds} and has ${size}: remove it to get a new one.`);
}

/**
 * Written whole under another name, then linked: a link fails when the name is taken, so of two processes that
 * start together one makes the secret and the other reads it, never a half of it.
 */
function createSecretKey(path: string): string {
  const draft = `${path}.${process.pid}.${randomBytes(6).toString("hex")}`;
  const secretKey = makeSecretKey();
  try {
    writeDurably(draft, `${secretKey}\n`);
    linkSync(draft, path);
    syncDirectory(join(path, ".."));
    return secretKey;
  } catch (error) {
    const winner = isSystemError(error) && error.code === "EEXIST" ? readSecretKey(path) : undefined;
    if (winner !== undefined) return winner;
    throw error;
  } finally {
    rmSync(draft, { force: true });
  }
}

function writeDurably(path: string, text: string): void {
  const file = openSync(path, "wx", 0o600);
  try {
    writeSync(file, text);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && "code" in error;
}
