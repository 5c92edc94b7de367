import type { Platform } from "../../platform/platform.ts";

/** Tells a leaked one to scanners of repositories and logs. */
const prefix = "tgr_";
const sessionIdBytes = 16;
const generationBytes = 4;
const macBytes = 32;
const purpose = "refresh-token";

/** The part of a session that its refresh tokens are derived from. */
export type RefreshFamily = {
  readonly id: string;
  /** Encrypted under SECRET_KEY. */
  readonly refresh_secret: Uint8Array;
};

/** A refresh token taken apart. Nothing in it is proved yet. */
export type PresentedToken = { readonly sessionId: string; readonly generation: number; readonly mac: Uint8Array };

/**
 * Refresh tokens are derived, not stored: HMAC-SHA-256 over the session's own secret, its id and a counter, under a
 * key of SECRET_KEY. So the successor of a token can be written again when its answer was lost, any older one of the
 * same session is recognised however old it is, and there is nothing at rest that a reader of the database could use.
 */
export function makeRefreshSecret({ secrets }: Pick<Platform, "secrets">): Uint8Array {
  return secrets.encrypt(purpose, secrets.randomBytes(32));
}

/** Writes and proves the refresh tokens of one session: what they are derived from is decrypted once. */
export type RefreshTokenMaker = {
  /** The refresh token with this number. */
  readonly write: (generation: number) => string;
  /** Whether we made this token, for this session. */
  readonly isGenuine: (token: PresentedToken) => boolean;
};

export function refreshTokensOf(
  { secrets }: Pick<Platform, "secrets">,
  { id, refresh_secret: sealed }: RefreshFamily,
): RefreshTokenMaker {
  const secret = secrets.decrypt(purpose, sealed);
  const idBytes = Buffer.from(id, "base64url");
  const macOf = (generation: Buffer): Uint8Array => secrets.mac(purpose, Buffer.concat([secret, idBytes, generation]));
  return {
    write: (number) => {
      const generation = numberBytes(number);
      return prefix + Buffer.concat([idBytes, generation, macOf(generation)]).toString("base64url");
    },
    isGenuine: (token) => secrets.isSame(macOf(numberBytes(token.generation)), token.mac),
  };
}

/** `undefined` for what was never one of ours. */
export function readRefreshToken(text: string): PresentedToken | undefined {
  const length = sessionIdBytes + generationBytes + macBytes;
  if (!text.startsWith(prefix) || text.length > 2 * length) return undefined;
  const bytes = Buffer.from(text.slice(prefix.length), "base64url");
  // One token has one text: what decodes to the same bytes but is written otherwise is refused.
  if (bytes.length !== length || prefix + bytes.toString("base64url") !== text) return undefined;
  return {
    sessionId: bytes.subarray(0, sessionIdBytes).toString("base64url"),
    generation: bytes.readUInt32BE(sessionIdBytes),
    mac: bytes.subarray(sessionIdBytes + generationBytes),
  };
}

function numberBytes(generation: number): Buffer {
  const bytes = Buffer.alloc(generationBytes);
  bytes.writeUInt32BE(generation);
  return bytes;
}
