import type { JWTPayload } from "jose";
import * as errors from "jose/errors";
import { jwtVerify } from "jose/jwt/verify";
import type { Role } from "../../contract/permissions.ts";
import type { Awaitable } from "../../platform/awaitable.ts";
import type { Clock } from "../../platform/clock.ts";
import { createNewestEntries } from "../../platform/newest-entries.ts";
import type { Secrets } from "../../platform/secrets.ts";
import { createSingleFlight } from "../../platform/single-flight.ts";
import { isStrictCompactJws } from "./jwt-format.ts";
import { signJwt } from "./jwt-signing.ts";
import type { Keyring, VerificationKey } from "./signing-keys.ts";

/** For people's own sessions with this server; other clients come with OAuth. */
const firstPartyClientId = "tollgate";
const skewSeconds = 60;
const verifiedMax = 10_000;

export type AccessTokenClaims = {
  readonly accountId: number;
  readonly sessionId: string;
  /** Seconds since the epoch. */
  readonly issuedAt: number;
  readonly expiresAt: number;
};

export type Refused = { readonly refused: "invalid" | "expired" };

export type AccessTokens = {
  readonly issue: (subject: {
    readonly accountId: number;
    readonly sessionId: string;
    readonly role: Role;
  }) => Promise<{ readonly token: string; readonly expiresInSeconds: number }>;
  /** Whether we made this token and its time has not come. Whether its session lives is for the caller to read. */
  readonly verify: (token: string) => Awaitable<AccessTokenClaims | Refused>;
};

export type AccessTokenOptions = {
  readonly keyring: Keyring;
  readonly clock: Pick<Clock, "now">;
  readonly secrets: Pick<Secrets, "randomText">;
  readonly issuer: string;
  readonly audience: string;
  readonly lifetimeSeconds: number;
  /** Called for each genuine token, with the id of its key. */
  readonly onGenuine?: (keyId: string) => void;
};

type Verified = { readonly key: VerificationKey; readonly claims: AccessTokenClaims };

const invalid: Refused = { refused: "invalid" };

/** Access tokens: JWTs of the kind at+jwt (RFC 9068), signed by the newest key of the ring. */
export function createAccessTokens(options: AccessTokenOptions): AccessTokens {
  const { keyring, clock, onGenuine } = options;
  // A signature takes 100 µs to check and never changes, so what was genuine is remembered by its text, which the
  // strict format makes its only one. Nothing else is remembered: the key must still be in the ring, the times are
  // held against the clock again, and session and account are read by the caller on every request.
  const verified = createNewestEntries<string, Verified>(verifiedMax);
  const inOneFlight = createSingleFlight<Verified | Refused>();
  const nowSeconds = (): number => clock.now() / 1000;
  const firstSeen = async (token: string): Promise<AccessTokenClaims | Refused> => {
    const genuine = await inOneFlight(token, () => verifySignature(options, token));
    if ("refused" in genuine) return genuine;
    onGenuine?.(genuine.key.id);
    const answer = inTime(genuine.claims, nowSeconds());
    if ("refused" in answer) return answer;
    verified.set(token, genuine);
    return answer;
  };
  return {
    issue: async (subject) => issue(options, subject),
    verify: (token) => {
      const known = verified.get(token);
      if (known === undefined || keyring.find(known.key.id) !== known.key) return firstSeen(token);
      onGenuine?.(known.key.id);
      return inTime(known.claims, nowSeconds());
    },
  };
}

async function issue(
  { keyring, clock, secrets, issuer, audience, lifetimeSeconds }: AccessTokenOptions,
  subject: Parameters<AccessTokens["issue"]>[0],
): ReturnType<AccessTokens["issue"]> {
  const issuedAt = Math.floor(clock.now() / 1000);
  const claims = {
    iss: issuer,
    aud: audience,
    sub: String(subject.accountId),
    sid: subject.sessionId,
    jti: secrets.randomText(16),
    iat: issuedAt,
    exp: issuedAt + lifetimeSeconds,
    client_id: firstPartyClientId,
    role: subject.role,
  };
  return { token: signJwt(claims, keyring.signingKey()), expiresInSeconds: lifetimeSeconds };
}

function inTime(claims: AccessTokenClaims, nowSeconds: number): AccessTokenClaims | Refused {
  if (nowSeconds >= claims.expiresAt) return { refused: "expired" };
  return claims.issuedAt > nowSeconds + skewSeconds ? invalid : claims;
}

async function verifySignature(options: AccessTokenOptions, token: string): Promise<Verified | Refused> {
  if (!isStrictCompactJws(token)) return invalid;
  const key = await keyNamedBy(options.keyring, token);
  if (key === undefined) return invalid;
  try {
    const { payload } = await jwtVerify(token, key.key, {
      algorithms: [key.algorithm],
      issuer: options.issuer,
      audience: options.audience,
      // Times are ours to judge, by our clock and without tolerance for expiry: `inTime`, `readClaims`.
      clockTolerance: Number.MAX_SAFE_INTEGER,
    });
    const claims = readClaims(payload, options);
    return claims ? { key, claims } : invalid;
  } catch (error) {
    if (error instanceof errors.JOSEError) return invalid;
    throw error;
  }
}

/**
 * The key a token names, if its header is one of ours: these three members and no other, so neither jku, x5u, jwk nor
 * crit ever counts (RFC 8725 §3.10), and exactly the key's own algorithm (§3.1) and our type (§3.11).
 */
async function keyNamedBy(keyring: Keyring, token: string): Promise<VerificationKey | undefined> {
  const header = parseHeader(token.slice(0, token.indexOf(".")));
  if (header === undefined) return undefined;
  const { alg, kid, typ, ...others } = header;
  if (Object.keys(others).length > 0 || typeof kid !== "string") return undefined;
  if (typ !== "at+jwt" && typ !== "application/at+jwt") return undefined;
  if (keyring.find(kid) === undefined) await keyring.catchUp();
  const key = keyring.find(kid);
  return key?.algorithm === alg ? key : undefined;
}

/** Each member once and without escapes: of a name that stands twice, others may read the other one (RFC 7515 §4). */
function parseHeader(part: string): Record<string, unknown> | undefined {
  try {
    const text = Buffer.from(part, "base64url").toString();
    const header: unknown = JSON.parse(text);
    if (typeof header !== "object" || header === null || Array.isArray(header)) return undefined;
    return JSON.stringify(header) === text.replaceAll(/[\t\n\r ]/g, "") ? { ...header } : undefined;
  } catch {
    return undefined;
  }
}

/** Claims of the types and ranges that we write (RFC 9068 §2.2); `undefined` for any other. */
function readClaims(
  payload: JWTPayload,
  { clock, lifetimeSeconds }: AccessTokenOptions,
): AccessTokenClaims | undefined {
  const { aud, sub, sid, jti, iat, exp, nbf, client_id: clientId, role } = payload;
  if (Array.isArray(aud) && !aud.every((one) => typeof one === "string")) return undefined;
  if (typeof sub !== "string" || !/^[1-9][0-9]{0,15}$/.test(sub) || !Number.isSafeInteger(Number(sub)))
    return undefined;
  if (!isIdentifier(sid) || !isIdentifier(jti) || typeof role !== "string") return undefined;
  if (clientId !== firstPartyClientId) return undefined;
  if (!isSecond(iat) || !isSecond(exp)) return undefined;
  if (exp <= iat || exp - iat > Math.max(lifetimeSeconds, 3600)) return undefined;
  if (nbf !== undefined && (!isSecond(nbf) || nbf > clock.now() / 1000 + skewSeconds)) return undefined;
  return { accountId: Number(sub), sessionId: sid, issuedAt: iat, expiresAt: exp };
}

function isIdentifier(value: unknown): value is string {
  return typeof value === "string" && /^[\w-]{16,64}$/.test(value);
}

function isSecond(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}
