import {
  createHash,
  createPrivateKey,
  createPublicKey,
  createSecretKey,
  generateKeyPairSync,
  type KeyObject,
} from "node:crypto";
import { calculateJwkThumbprint, type JWK } from "jose";
import { inTransaction } from "../../platform/database/transaction.ts";
import type { Platform } from "../../platform/platform.ts";
import { StartError } from "../../platform/start-error.ts";
import { recordEvent } from "../audit/audit.ts";
import { findSigningKeys, insertSigningKey, type SigningKeyRow } from "./signing-keys-store.ts";

const purpose = "signing-key";

/** Both are of 128 bits of security or more (ASVS 11.2.3). */
type AsymmetricAlgorithm = SigningKeyRow["algorithm"];

/** A key and the one algorithm it is for: the token never chooses (RFC 8725 §3.1). */
export type VerificationKey = {
  readonly id: string;
  readonly algorithm: AsymmetricAlgorithm | "HS256";
  readonly key: KeyObject;
};

export type SigningKey = VerificationKey & { readonly privateKey: KeyObject };

/** A public key as verifiers get it. An allow-list: no other member of a JWK ever leaves (RFC 7517 §4). */
export type PublicJwk = { kty: string; kid: string; use: "sig"; alg: string; crv: string; x: string; y?: string };

export type Keyring = {
  readonly signingKey: () => SigningKey;
  /** Looks only among the keys in memory: a made-up kid costs nothing. */
  readonly find: (kid: string) => VerificationKey | undefined;
  readonly publicJwks: () => { readonly keys: readonly PublicJwk[] };
};

/**
 * Opens the keys of this database; on the first start makes the first one.
 *
 * @throws StartError when they were made under another SECRET_KEY
 */
export async function openKeyring(platform: Pick<Platform, "db" | "secrets" | "clock" | "config">): Promise<Keyring> {
  const { tokenAlgorithm: algorithm } = platform.config;
  if (algorithm === "HS256") return keyringOf(sharedKey(platform), []);
  const rows = await readOrMakeKeys(platform, algorithm);
  const keys = rows.map((row) => openKey(platform, row));
  const newest = keys.findLast((key) => key.algorithm === algorithm);
  if (newest === undefined) throw new Error(`There is no ${algorithm} key, though one was just made.`);
  return keyringOf(newest, keys);
}

/** What the command line lists; nothing is decrypted. */
export async function listSigningKeys(
  platform: Pick<Platform, "db">,
): Promise<readonly { readonly id: string; readonly algorithm: string; readonly createdAt: number }[]> {
  const rows = await findSigningKeys(platform);
  return rows.map(({ id, algorithm, created_at: createdAt }) => ({ id, algorithm, createdAt }));
}

function keyringOf(signingKey: SigningKey, published: readonly SigningKey[]): Keyring {
  const byId = new Map<string, VerificationKey>([...published, signingKey].map((key) => [key.id, key]));
  return {
    signingKey: () => signingKey,
    find: (kid) => byId.get(kid),
    publicJwks: () => ({ keys: published.map(publicJwk) }),
  };
}

// The insert is decided inside the transaction: of two processes that start together, one makes the key.
async function readOrMakeKeys(
  platform: Pick<Platform, "db" | "secrets" | "clock">,
  algorithm: AsymmetricAlgorithm,
): Promise<SigningKeyRow[]> {
  const isThere = (rows: readonly SigningKeyRow[]): boolean => rows.some((row) => row.algorithm === algorithm);
  const found = await findSigningKeys(platform);
  if (isThere(found)) return found;
  const made = await makeKey(platform, algorithm);
  return inTransaction(platform, async (tx) => {
    const foundMeanwhile = await findSigningKeys(tx);
    if (isThere(foundMeanwhile)) return foundMeanwhile;
    await insertSigningKey(tx, made);
    await recordEvent(tx, { type: "signing-key/created", payload: { key_id: made.id, algorithm } });
    return [...foundMeanwhile, made];
  });
}

async function makeKey(
  { secrets, clock }: Pick<Platform, "secrets" | "clock">,
  algorithm: AsymmetricAlgorithm,
): Promise<SigningKeyRow> {
  const { privateKey, publicKey } =
    algorithm === "ES256" ? generateKeyPairSync("ec", { namedCurve: "P-256" }) : generateKeyPairSync("ed25519");
  const jwk = publicKey.export({ format: "jwk" }) as JWK;
  return {
    id: await calculateJwkThumbprint(jwk), // RFC 7638
    algorithm,
    public_jwk: JSON.stringify(jwk),
    private_key_encrypted: secrets.encrypt(purpose, privateKey.export({ format: "der", type: "pkcs8" })),
    created_at: clock.now(),
    signs_at: clock.now(),
    retires_at: null,
  };
}

function openKey({ secrets }: Pick<Platform, "secrets">, row: SigningKeyRow): SigningKey {
  try {
    const der = Buffer.from(secrets.decrypt(purpose, row.private_key_encrypted));
    const privateKey = createPrivateKey({ key: der, format: "der", type: "pkcs8" });
    return { id: row.id, algorithm: row.algorithm, privateKey, key: createPublicKey(privateKey) };
  } catch (cause) {
    throw new StartError(
      "SECRET_KEY is not the one that this database's signing keys were encrypted under: set the former one, or restore the file secret.key beside the database.",
      { cause },
    );
  }
}

/** SECRET_KEY signs itself with HS256, so that whoever shares it can verify. Never published. */
function sharedKey({ secrets }: Pick<Platform, "secrets">): SigningKey {
  const bytes = secrets.secretKey();
  const key = createSecretKey(bytes);
  const id = createHash("sha256").update("tollgate kid\0").update(bytes).digest("base64url").slice(0, 16);
  return { id, algorithm: "HS256", key, privateKey: key };
}

function publicJwk({ id, algorithm, key }: VerificationKey): PublicJwk {
  const { kty = "", crv = "", x = "", y } = key.export({ format: "jwk" }) as JWK;
  return { kty, kid: id, use: "sig", alg: algorithm, crv, x, ...(y === undefined ? {} : { y }) };
}
