/**
 * Makes tokens that no library would: any header, any payload, any signature. Signs with node:crypto, not with jose,
 * so that what our code accepts is also what an independent implementation writes.
 */
import { createHmac, createSecretKey, generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { createAccessTokens, type AccessTokens } from "../../src/features/sessions/access-tokens.ts";
import type { Keyring, SigningKey } from "../../src/features/sessions/signing-keys.ts";
import { createSecrets } from "../../src/platform/secrets.ts";
import { createTestClock, type TestClock } from "./test-clock.ts";

export type Algorithm = SigningKey["algorithm"];

/** JSON, or the text of it as it is. */
type Json = Readonly<Record<string, unknown>> | string;

export type TokenForge = {
  readonly tokens: AccessTokens;
  readonly clock: TestClock;
  /** Its private key is the one that `sign` uses. */
  readonly key: SigningKey;
  /** What the ring holds now; may be changed. */
  readonly ring: SigningKey[];
  /** Seconds since the epoch. */
  readonly now: () => number;
  /** Ids of keys whose genuine tokens were seen. */
  readonly seen: string[];
  /** How often a signature was checked: the key was taken out of its entry. */
  readonly signatureChecks: () => number;
  /** The header we write, with these members instead; `undefined` leaves one out. */
  readonly header: (changes?: Readonly<Record<string, unknown>>) => Readonly<Record<string, unknown>>;
  /** The claims we write, likewise. */
  readonly claims: (changes?: Readonly<Record<string, unknown>>) => Readonly<Record<string, unknown>>;
  /** A token with the true signature of our key over whatever it says. */
  readonly sign: (header: Json, claims: Json) => string;
};

export const issuer = "https://tollgate.test";
export const sessionId = "c2Vzc2lvbi1vZi1hbGljZQ";

export function base64url(bytes: Uint8Array | string): string {
  return Buffer.from(bytes).toString("base64url");
}

/** Everything before the second dot. */
export function signingInput(header: Json, claims: Json): string {
  return [header, claims].map((part) => base64url(typeof part === "string" ? part : JSON.stringify(part))).join(".");
}

export function signBytes(algorithm: Algorithm, key: KeyObject, text: string): Buffer {
  switch (algorithm) {
    case "HS256":
      return createHmac("sha256", key).update(text).digest();
    case "ES256":
      return sign("sha256", Buffer.from(text), { key, dsaEncoding: "ieee-p1363" });
    case "EdDSA":
      return sign(null, Buffer.from(text), key);
  }
}

export function makeSigningKey(algorithm: Algorithm, id: string): SigningKey {
  const times = { signsAt: 0, retiresAt: null };
  if (algorithm === "HS256") {
    const key = createSecretKey(Buffer.alloc(32, id));
    return { id, algorithm, key, privateKey: key, ...times };
  }
  const { publicKey, privateKey } =
    algorithm === "ES256" ? generateKeyPairSync("ec", { namedCurve: "P-256" }) : generateKeyPairSync("ed25519");
  return { id, algorithm, key: publicKey, privateKey, ...times };
}

export function createTokenForge(algorithm: Algorithm = "ES256", lifetimeSeconds = 900): TokenForge {
  const made = makeSigningKey(algorithm, `${algorithm}-key-of-the-ring`);
  let checks = 0;
  const key: SigningKey = {
    ...made,
    get key() {
      checks += 1;
      return made.key;
    },
  };
  const ring = [key];
  const seen: string[] = [];
  const clock = createTestClock();
  const now = (): number => clock.now() / 1000;
  const keyring: Keyring = {
    signingKey: () => key,
    find: (kid) => ring.find((one) => one.id === kid),
    publicJwks: () => ({ keys: [] }),
    reload: async () => {},
    catchUp: async () => {},
    jwksMaxAgeSeconds: () => 300,
  };
  return {
    tokens: createAccessTokens({
      keyring,
      clock,
      secrets: createSecrets("a secret of this test, long enough to be one"),
      issuer,
      audience: issuer,
      lifetimeSeconds,
      onGenuine: (keyId) => void seen.push(keyId),
    }),
    clock,
    key: made,
    ring,
    now,
    seen,
    signatureChecks: () => checks,
    header: (changes = {}) => ({ alg: algorithm, kid: key.id, typ: "at+jwt", ...changes }),
    claims: (changes = {}) => ({
      iss: issuer,
      aud: issuer,
      sub: "2",
      sid: sessionId,
      jti: "anRpLW9mLXRoaXMtdG9rZW4",
      iat: now(),
      exp: now() + lifetimeSeconds,
      client_id: "tollgate",
      role: "user",
      ...changes,
    }),
    sign: (header, claims) => {
      const input = signingInput(header, claims);
      return `${input}.${base64url(signBytes(algorithm, made.privateKey, input))}`;
    },
  };
}
