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
  /** Compares in constant time. */
  readonly isTag: (purpose: string, text: string, tag: string) => boolean;
  /** Text of `bytes` random bytes, base64url. */
  readonly randomText: (bytes: number) => string;
};
