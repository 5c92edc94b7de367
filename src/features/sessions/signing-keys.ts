import {
  createHash,
  createPrivateKey,
  createPublicKey,
  createSecretKey,
  generateKeyPairSync,
  type KeyObject,
} from "node:crypto";
import type { JWK } from "jose";
import { calculateJwkThumbprint } from "jose/jwk/thumbprint";
import type { Config } from "../../config.ts";
import { inTransaction } from "../../platform/database/transaction.ts";
import type { Platform } from "../../platform/platform.ts";
import { createSingleFlight } from "../../platform/single-flight.ts";
import { StartError } from "../../platform/start-error.ts";
import { recordEvent } from "../audit/audit.ts";
import { findSigningKeys, insertSigningKey, type SigningKeyRow } from "./signing-keys-store.ts";

const purpose = "signing-key";
/** So long after a reading that failed nobody tries again but the clock's own turn. */
const retryMilliseconds = 1_000;

/** Both are of 128 bits of security or more (ASVS 11.2.3). */
type AsymmetricAlgorithm = SigningKeyRow["algorithm"];

/** A key and the one algorithm it is for: the token never chooses (RFC 8725 §3.1). */
export type VerificationKey = {
  readonly id: string;
  readonly algorithm: AsymmetricAlgorithm | "HS256";
  readonly key: KeyObject;
};

export type SigningKey = VerificationKey & {
  readonly privateKey: KeyObject;
  /** Milliseconds since the epoch: from then on it signs. */
  readonly signsAt: number;
  /** From then on its tokens are refused; null while no newer key has taken over. */
  readonly retiresAt: number | null;
};

/** A public key as verifiers get it. An allow-list: no other member of a JWK ever leaves (RFC 7517 §4). */
export type PublicJwk = { kty: string; kid: string; use: "sig"; alg: string; crv: string; x: string; y?: string };

export type Keyring = {
  /** The newest key whose time to sign has come. */
  readonly signingKey: () => SigningKey;
  /** Looks only among the keys in memory: a made-up kid costs nothing. A retired key is not found. */
  readonly find: (kid: string) => VerificationKey | undefined;
  /** All that are not retired, those that do not sign yet included. */
  readonly publicJwks: () => { readonly keys: readonly PublicJwk[] };
  /** Reads the keys anew: another process, or the command line, may have made one. Many at once are one reading. */
  readonly reload: () => Promise<void>;
  /**
   * The same if the last reading is too old to be sure that a kid is unknown, or a set complete: its turn was missed,
   * because the machine slept or the database was away. Fails at once while that is so.
   */
  readonly catchUp: () => Promise<void>;
  /** Seconds for which a verifier may keep the set as it is: less than JWKS_MAX_AGE when the last reading is old. */
  readonly jwksMaxAgeSeconds: () => number;
};

type KeyringParts = Pick<Platform, "db" | "secrets" | "clock" | "config">;

/** A process reads the keys anew at least so often. A new key waits so much longer before it signs. */
export function keyReloadSeconds({ jwksMaxAgeSeconds }: Pick<Config, "jwksMaxAgeSeconds">): number {
  return Math.min(30, Math.max(1, Math.floor(jwksMaxAgeSeconds / 2)));
}

/**
 * Opens the keys of this database; on the first start makes the first one.
 *
 * @throws StartError when they were made under another SECRET_KEY
 */
export async function openKeyring(platform: KeyringParts): Promise<Keyring> {
  const { tokenAlgorithm: algorithm } = platform.config;
  const readAt = platform.clock.now();
  if (algorithm === "HS256") return createKeyring(platform, { keys: [sharedKey(platform)], readAt }, async () => []);
  const rows = await readOrMakeKeys(platform, algorithm);
  const keys = rows.map((row) => openKey(platform, row));
  return createKeyring(platform, { keys, readAt }, () => findSigningKeys(platform));
}

/** The keys of one reading. Those made after its beginning may be missing. */
type Read = { readonly keys: readonly SigningKey[]; readonly readAt: number };

function createKeyring(
  platform: KeyringParts,
  first: Read,
  readRows: () => Promise<readonly SigningKeyRow[]>,
): Keyring {
  const { clock, config } = platform;
  let { keys, readAt } = first;
  let failure: { readonly at: number; readonly error: unknown } | undefined;
  const inOneFlight = createSingleFlight<void>();
  const goodForMilliseconds = keyReloadSeconds(config) * 1000;
  const ageMilliseconds = (): number => clock.now() - readAt;
  // Negative when the clock was set back: then nobody knows.
  const isFresh = (): boolean => ageMilliseconds() >= 0 && ageMilliseconds() <= goodForMilliseconds;
  const isHonoured = (key: SigningKey): boolean => key.retiresAt === null || clock.now() < key.retiresAt;

  const readAnew = async (): Promise<void> => {
    const startedAt = clock.now();
    try {
      const rows = await readRows();
      if (rows.length > 0) keys = keysOf(platform, rows, keys);
      [readAt, failure] = [startedAt, undefined];
    } catch (error) {
      failure = { at: clock.monotonicNow(), error };
      throw error;
    }
  };
  const reload = (): Promise<void> => inOneFlight("keys", readAnew);
  return {
    signingKey: () => {
      const isSigning = (key: SigningKey): boolean =>
        key.algorithm === config.tokenAlgorithm && key.signsAt <= clock.now();
      const key = keys.findLast(isSigning) ?? keys.findLast((one) => one.algorithm === config.tokenAlgorithm);
      if (key === undefined) throw new Error(`There is no ${config.tokenAlgorithm} key, though one was made.`);
      return key;
    },
    find: (kid) => keys.find((key) => key.id === kid && isHonoured(key)),
    publicJwks: () => ({ keys: keys.filter((key) => key.algorithm !== "HS256" && isHonoured(key)).map(publicJwk) }),
    // What is not in this set signs at the earliest when all who may keep it have asked again.
    jwksMaxAgeSeconds: () => {
      const lateMilliseconds = isFresh() ? 0 : Math.abs(ageMilliseconds() - goodForMilliseconds);
      return Math.max(0, Math.floor(config.jwksMaxAgeSeconds - lateMilliseconds / 1000));
    },
    reload,
    catchUp: async () => {
      if (isFresh()) return;
      if (failure && clock.monotonicNow() - failure.at < retryMilliseconds) throw failure.error;
      await reload();
    },
  };
}

/** A key that was there stays the same object but for its times: what was verified under it is still verified. */
function keysOf(
  platform: Pick<Platform, "secrets">,
  rows: readonly SigningKeyRow[],
  before: readonly SigningKey[],
): readonly SigningKey[] {
  const known = new Map(before.map((key) => [key.id, key]));
  return rows.map((row) => {
    const key = known.get(row.id);
    return key ? Object.assign(key, { retiresAt: row.retires_at }) : openKey(platform, row);
  });
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

/** A new key pair, its private half encrypted; to be inserted by the caller. */
export async function makeKey(
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

/**
 * @throws StartError when it is not of its kind, or not encrypted under this SECRET_KEY
 */
export function openKey(platform: Pick<Platform, "secrets">, row: SigningKeyRow): SigningKey {
  const { id, algorithm, signs_at: signsAt, retires_at: retiresAt } = row;
  const privateKey = decryptKey(platform, row);
  if (!isKeyFor(algorithm, privateKey)) {
    throw new StartError(
      `The signing key ${id} is not of the kind that ${algorithm} needs, so somebody changed this database: restore it from a backup.`,
    );
  }
  return { id, algorithm, privateKey, key: createPublicKey(privateKey), signsAt, retiresAt };
}

function decryptKey({ secrets }: Pick<Platform, "secrets">, row: SigningKeyRow): KeyObject {
  try {
    const der = Buffer.from(secrets.decrypt(purpose, row.private_key_encrypted));
    return createPrivateKey({ key: der, format: "der", type: "pkcs8" });
  } catch (cause) {
    throw new StartError(
      "SECRET_KEY is not the one that this database's signing keys were encrypted under: set the former one, or restore the file secret.key beside the database.",
      { cause },
    );
  }
}

/** P-256 and Ed25519, and no other curve: 128 bits of security (ASVS 11.2.3). */
function isKeyFor(algorithm: AsymmetricAlgorithm, { asymmetricKeyType, asymmetricKeyDetails }: KeyObject): boolean {
  if (algorithm === "EdDSA") return asymmetricKeyType === "ed25519";
  return asymmetricKeyType === "ec" && asymmetricKeyDetails?.namedCurve === "prime256v1";
}

/** SECRET_KEY signs itself with HS256, so that whoever shares it can verify. Never published. */
function sharedKey({ secrets }: Pick<Platform, "secrets">): SigningKey {
  const bytes = secrets.secretKey();
  const key = createSecretKey(bytes);
  const id = createHash("sha256").update("tollgate kid\0").update(bytes).digest("base64url").slice(0, 16);
  return { id, algorithm: "HS256", key, privateKey: key, signsAt: 0, retiresAt: null };
}

function publicJwk({ id, algorithm, key }: VerificationKey): PublicJwk {
  const { kty = "", crv = "", x = "", y } = key.export({ format: "jwk" }) as JWK;
  return { kty, kid: id, use: "sig", alg: algorithm, crv, x, ...(y === undefined ? {} : { y }) };
}
