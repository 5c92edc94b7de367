import { Problem } from "../../contract/problems.ts";
import { inTransaction } from "../../platform/database/transaction.ts";
import type { AccountRow } from "../../platform/database/tables.ts";
import type { RequestOrigin } from "../../platform/http/route.ts";
import type { Platform } from "../../platform/platform.ts";
import { takeLimit, type TakenLimit } from "../../platform/rate-limit/take-limit.ts";
import { recordEvent } from "../audit/audit.ts";
import { noteRefreshReused } from "../notices/notices.ts";
import { readRefreshToken, refreshTokensOf } from "./refresh-tokens.ts";
import {
  endSession,
  findFamilyWithAccount,
  findRefreshFamily,
  rotateRefresh,
  type RefreshFamilyRow,
} from "./sessions-store.ts";

/** What the client learns of a refusal: enough to know whether to sign in again. */
type RefreshRefusal = "unknown" | "expired" | "reused" | "revoked";

/** What is counted of it, and what of that the client learns. */
const refusals = {
  unknown: "unknown",
  expired: "expired",
  revoked: "revoked",
  stolen: "reused",
  duplicate: "reused",
} as const satisfies Record<string, RefreshRefusal>;

export type Refreshed = {
  readonly account: Pick<AccountRow, "id" | "role">;
  readonly sessionId: string;
  readonly refreshToken: string;
  /** How often the session was refreshed: 0 at the sign-in. */
  readonly refreshCount: number;
  /** Seconds until the new refresh token ends if it is not used. */
  readonly refreshExpiresInSeconds: number;
  readonly counted: TakenLimit | undefined;
};

type Outcome =
  | {
      readonly kind: "rotated" | "retried" | "overlapped";
      readonly generation: number;
      readonly account: Refreshed["account"];
      readonly family: RefreshFamilyRow;
    }
  | { readonly kind: keyof typeof refusals };

/**
 * Uses a refresh token: each use makes the next one and ends this one (RFC 9700 §4.14.2).
 *
 * A client whose answer got lost asks again with the same Idempotency-Key and gets the same successor, however late,
 * until that was first used. Without a key, or with another one, the same token gets the same successor only within
 * REFRESH_OVERLAP (two tabs); after that somebody else has it, and the whole session ends. Only the immediate
 * predecessor is ever forgiven.
 *
 * @throws Problem `refresh-refused` with `reason`, `too-many-requests`
 */
export async function refresh(
  platform: Platform,
  presented: { readonly token: string; readonly idempotencyKey: string | undefined },
  origin: RequestOrigin,
): Promise<Refreshed> {
  const token = readRefreshToken(presented.token);
  const known = token && (await findRefreshFamily(platform, token.sessionId));
  const tokens = known && refreshTokensOf(platform, known);
  if (!token || !known || !tokens?.isGenuine(token)) throw refused(platform, "unknown");
  const counted = await takeLimit(platform, "refresh", `session:${token.sessionId}`);
  const keyTag =
    presented.idempotencyKey === undefined ? null : platform.secrets.tag("refresh-key", presented.idempotencyKey);
  const use: Use = { generation: token.generation, keyTag, origin };
  const outcome = await inTransaction(
    platform,
    async (tx) => (await rotate(tx, known, use)) ?? decide(tx, known.id, use),
  );
  // After the commit, so that the end of a stolen session stays.
  if (!("account" in outcome)) throw refused(platform, outcome.kind);
  platform.metrics.refreshes.inc({ outcome: outcome.kind });
  const { account, family, generation } = outcome;
  const now = platform.clock.now();
  return {
    account,
    sessionId: family.id,
    refreshToken: tokens.write(generation),
    refreshCount: refreshCountOf(generation),
    refreshExpiresInSeconds: refreshExpiresIn(
      platform,
      outcome.kind === "rotated" ? { ...family, last_used_at: now } : family,
      now,
    ),
    counted,
  };
}

/** Seconds that the newest refresh token of a session may still wait for its use, counted from a moment. */
export function refreshExpiresIn(
  { config }: Pick<Platform, "config">,
  session: { readonly last_used_at: number; readonly expires_at: number },
  from: number,
): number {
  const idleEnd = session.last_used_at + config.sessionIdleLifetimeSeconds * 1000;
  return Math.max(0, Math.floor((Math.min(idleEnd, session.expires_at) - from) / 1000));
}

/** The first refresh token of a session has number 1. */
export function refreshCountOf(generation: number): number {
  return generation - 1;
}

function refused({ metrics }: Pick<Platform, "metrics">, outcome: keyof typeof refusals): Problem {
  metrics.refreshes.inc({ outcome });
  return new Problem("refresh-refused", { members: { reason: refusals[outcome] } });
}

type Use = { readonly generation: number; readonly keyTag: string | null; readonly origin: RequestOrigin };

/**
 * The usual use: of the newest token, of a session and an account that live. By what was read of the session before the
 * transaction: the keys of its uses change with its generation alone, its idle time only ever grows longer. Undefined if
 * it is not, or not surely, such a use.
 */
async function rotate(
  tx: Platform,
  family: RefreshFamilyRow,
  { generation, keyTag, origin }: Use,
): Promise<Outcome | undefined> {
  if (generation !== family.refresh_generation || isExpired(tx, family)) return undefined;
  const keyTags = nextKeyTags(tx, family, keyTag);
  const account = await rotateRefresh(tx, family, { at: tx.clock.now(), keyTags, ...origin });
  if (account === undefined) return undefined;
  await recordRefresh(tx, family, "rotated", origin);
  return { kind: "rotated", account, family, generation: generation + 1 };
}

/** Of all that is no such use, and of one that met another. */
async function decide(tx: Platform, sessionId: string, use: Use): Promise<Outcome> {
  const { generation, keyTag, origin } = use;
  const found = await findFamilyWithAccount(tx, sessionId);
  if (found === undefined) return { kind: "unknown" };
  const { family, account } = found;
  if (family.ended_at !== null || account.disabled === 1) return { kind: "revoked" };
  const about = { actorId: account.id, accountId: account.id, requestId: origin.requestId, address: origin.address };
  if (isExpired(tx, family)) {
    await recordEvent(tx, { type: "session/expired", payload: { session_id: family.id }, ...about });
    return { kind: "expired" };
  }
  const kind = judge(tx, family, generation, keyTag);
  if (kind === "duplicate") return { kind };
  if (kind === "stolen") {
    await endSession(tx, family.id, { at: tx.clock.now(), reason: "refresh-reused" });
    await recordEvent(tx, { type: "session/refresh-reused", payload: { session_id: family.id }, ...about });
    await noteRefreshReused(tx, account, origin);
    return { kind };
  }
  if (kind === "rotated") {
    const rotated = await rotate(tx, family, use);
    if (rotated === undefined) throw new Error("A refresh token was used twice: its transaction was not alone.");
    return rotated;
  }
  await recordRefresh(tx, family, kind, origin);
  return { kind, account, family, generation: family.refresh_generation };
}

async function recordRefresh(
  tx: Platform,
  { id, account_id: accountId }: RefreshFamilyRow,
  outcome: "rotated" | "retried" | "overlapped",
  { requestId, address }: RequestOrigin,
): Promise<void> {
  const payload = { session_id: id, outcome };
  await recordEvent(tx, { type: "session/refreshed", payload, actorId: accountId, accountId, requestId, address });
}

function isExpired({ clock, config }: Pick<Platform, "clock" | "config">, family: RefreshFamilyRow): boolean {
  const now = clock.now();
  return now >= family.expires_at || now >= family.last_used_at + config.sessionIdleLifetimeSeconds * 1000;
}

const noKey = "-";
/** More refreshes in a minute than a client makes; with eight the proof found honest clients signed out. */
const keyTagsMax = 64;
const duplicateMilliseconds = 60_000;

/** The keys of the last uses, newest first; those of more than a minute ago are of no use any more. */
function nextKeyTags({ clock }: Pick<Platform, "clock">, family: RefreshFamilyRow, keyTag: string | null): string {
  const isRecent = clock.now() - (family.refreshed_at ?? 0) <= duplicateMilliseconds;
  return [keyTag ?? noKey, ...(isRecent ? keyTagsOf(family) : [])].slice(0, keyTagsMax).join(",");
}

function keyTagsOf(family: RefreshFamilyRow): string[] {
  return family.refresh_key_tags === "" ? [] : family.refresh_key_tags.split(",");
}

/**
 * A retry or a theft? The newest token is simply used; of the used ones only the last is ever given its successor again.
 *
 * An older one that comes within a minute with the very key it was used by is the same request once more: its client
 * had given up on it, asked again and gone on, and the network delivers it only now. It gets nothing, for a thief could
 * have copied the key as well, but it is no reason to end the session: the proof found honest clients signed out by it.
 */
function judge(
  { clock, config }: Pick<Platform, "clock" | "config">,
  family: RefreshFamilyRow,
  generation: number,
  keyTag: string | null,
): "rotated" | "retried" | "overlapped" | "duplicate" | "stolen" {
  if (generation === family.refresh_generation) return "rotated";
  const usesSince = family.refresh_generation - 1 - generation;
  const isSameKey = keyTag !== null && keyTagsOf(family)[usesSince] === keyTag;
  const ageMilliseconds = clock.now() - (family.refreshed_at ?? 0);
  if (usesSince !== 0) return isSameKey && ageMilliseconds <= duplicateMilliseconds ? "duplicate" : "stolen";
  if (isSameKey) return "retried";
  // A clock that was set back by an hour must not give a thief an hour (X11).
  return Math.abs(ageMilliseconds) <= config.refreshOverlapSeconds * 1000 ? "overlapped" : "stolen";
}
