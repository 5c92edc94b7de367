import { Type, type Static } from "typebox";
import { timestamp } from "../../platform/clock.ts";
import { inTransaction } from "../../platform/database/transaction.ts";
import type { Platform } from "../../platform/platform.ts";
import { recordEvent, type SecurityEvent } from "../audit/audit.ts";
import {
  findKeyUse,
  findSigningKeys,
  insertSigningKey,
  setRetirement,
  type SigningKeyRow,
} from "./signing-keys-store.ts";
import { keyReloadSeconds, makeKey, openKey } from "./signing-keys.ts";

const hourMilliseconds = 3_600_000;
const skewMilliseconds = 60_000;

export type Rotation =
  | { readonly outcome: "rotated"; readonly keyId: string; readonly signsAt: number; readonly formerRetiresAt: number }
  | { readonly outcome: "pending"; readonly keyId: string; readonly signsAt: number }
  | { readonly outcome: "no-keys" };

/**
 * Makes the next signing key. It is published at once and signs only when every verifier that keeps the key set for
 * JWKS_MAX_AGE, and every process that reads the keys anew now and then, must have it. The former key signs until then
 * and is honoured until its last token has expired.
 *
 * @param actor left out for the command line
 * @throws StartError when SECRET_KEY is not the one of the keys that are there
 */
export async function rotateKeys(
  platform: Pick<Platform, "db" | "secrets" | "clock" | "config">,
  actor?: Pick<SecurityEvent, "actorId" | "requestId" | "address">,
): Promise<Rotation> {
  const { config, clock } = platform;
  const { tokenAlgorithm: algorithm } = config;
  if (algorithm === "HS256") return { outcome: "no-keys" };
  // A key under another SECRET_KEY would be one that no server can open.
  for (const key of await findSigningKeys(platform)) openKey(platform, key);
  const made = await makeKey(platform, algorithm);
  return inTransaction(platform, async (tx) => {
    const now = clock.now();
    const pending = (await findSigningKeys(tx)).find((key) => key.algorithm === algorithm && key.signs_at > now);
    if (pending) return { outcome: "pending", keyId: pending.id, signsAt: pending.signs_at };
    const signsAt = now + (config.jwksMaxAgeSeconds + keyReloadSeconds(config)) * 1000;
    const formerRetiresAt = signsAt + config.accessTokenLifetimeSeconds * 1000 + skewMilliseconds;
    await insertSigningKey(tx, { ...made, created_at: now, signs_at: signsAt });
    await setRetirement(tx, algorithm, { retiresAt: formerRetiresAt, exceptId: made.id });
    await recordEvent(tx, { type: "signing-key/created", payload: { key_id: made.id, algorithm }, ...actor });
    return { outcome: "rotated", keyId: made.id, signsAt, formerRetiresAt };
  });
}

const keyStates = ["published", "signing", "verifying", "retired"] as const;
type KeyState = (typeof keyStates)[number];

export type ListedKey = {
  readonly id: string;
  readonly algorithm: string;
  readonly state: KeyState;
  readonly createdAt: number;
  readonly signsAt: number;
  /** Counted by whole hours: this one and the one before, so rather too many than too few. */
  readonly tokensSeenLastHour: number;
  readonly tokensSeenLastDay: number;
  /** Within the last two days; null if none of its tokens was seen. */
  readonly lastSeenAt: number | null;
  /** null while its tokens may still be in use. */
  readonly safeToRetireSince: number | null;
};

/** Every key with its state and who still uses it. Nothing is decrypted. */
export async function listSigningKeys({ db, clock }: Pick<Platform, "db" | "clock">): Promise<readonly ListedKey[]> {
  const now = clock.now();
  const thisHour = Math.floor(now / hourMilliseconds);
  const keys = await findSigningKeys({ db });
  const uses = await findKeyUse({ db }, thisHour - 48);
  return keys.map((key) => {
    const own = uses.filter((use) => use.key_id === key.id);
    const seenSince = (hour: number): number =>
      own.filter((use) => use.hour >= hour).reduce((sum, use) => sum + use.tokens_seen, 0);
    return {
      id: key.id,
      algorithm: key.algorithm,
      state: stateOf(key, keys, now),
      createdAt: key.created_at,
      signsAt: key.signs_at,
      tokensSeenLastHour: seenSince(thisHour - 1),
      tokensSeenLastDay: seenSince(thisHour - 24),
      lastSeenAt: own.length === 0 ? null : Math.max(...own.map((use) => use.last_seen_at)),
      safeToRetireSince: key.retires_at !== null && key.retires_at <= now ? key.retires_at : null,
    };
  });
}

function stateOf(key: SigningKeyRow, keys: readonly SigningKeyRow[], now: number): KeyState {
  if (key.retires_at !== null && key.retires_at <= now) return "retired";
  if (key.signs_at > now) return "published";
  const signing = keys.findLast((one) => one.algorithm === key.algorithm && one.signs_at <= now);
  return signing === key ? "signing" : "verifying";
}

const momentOrNull = Type.Union([Type.String({ format: "date-time" }), Type.Null()]);

/** A key as the API and the command line tell it. */
export const SigningKeyBody = Type.Object(
  {
    id: Type.String(),
    algorithm: Type.String(),
    state: Type.Enum([...keyStates]),
    created_at: Type.String({ format: "date-time" }),
    signs_at: Type.String({ format: "date-time" }),
    tokens_seen_last_hour: Type.Integer(),
    tokens_seen_last_day: Type.Integer(),
    last_seen_at: momentOrNull,
    safe_to_retire_since: momentOrNull,
  },
  { title: "SigningKey" },
);

export function signingKeyBody(key: ListedKey): Static<typeof SigningKeyBody> {
  return {
    id: key.id,
    algorithm: key.algorithm,
    state: key.state,
    created_at: timestamp(key.createdAt),
    signs_at: timestamp(key.signsAt),
    tokens_seen_last_hour: key.tokensSeenLastHour,
    tokens_seen_last_day: key.tokensSeenLastDay,
    last_seen_at: key.lastSeenAt === null ? null : timestamp(key.lastSeenAt),
    safe_to_retire_since: key.safeToRetireSince === null ? null : timestamp(key.safeToRetireSince),
  };
}
