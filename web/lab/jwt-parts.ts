/** An access token taken apart (RFC 7515 §3.1). Nothing is checked: that is what the server is for. */
export type TokenParts = {
  readonly header: Readonly<Record<string, unknown>>;
  readonly claims: Readonly<Record<string, unknown>>;
  /** base64url; empty for an unsigned token. */
  readonly signature: string;
  /** The three as they stand in the token. */
  readonly encoded: readonly [header: string, claims: string, signature: string];
};

/** `undefined` for what is no JWT: not three parts, not base64url, not JSON objects. */
export function readToken(token: string): TokenParts | undefined {
  const [header = "", claims = "", signature, ...rest] = token.trim().split(".");
  if (signature === undefined || rest.length > 0) return undefined;
  const [readHeader, readClaims] = [readPart(header), readPart(claims)];
  if (readHeader === undefined || readClaims === undefined) return undefined;
  return { header: readHeader, claims: readClaims, signature, encoded: [header, claims, signature] };
}

/** A token with another header and other claims under the same signature; with `none` under none. */
export function writeToken(
  header: Readonly<Record<string, unknown>>,
  claims: Readonly<Record<string, unknown>>,
  signature: string,
): string {
  return [writePart(header), writePart(claims), header["alg"] === "none" ? "" : signature].join(".");
}

function readPart(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const bytes = Uint8Array.from(
      atob(text.replaceAll("-", "+").replaceAll("_", "/")),
      (one) => one.codePointAt(0) ?? 0,
    );
    const value: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
    return isObject ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

function writePart(value: unknown): string {
  const text = String.fromCodePoint(...new TextEncoder().encode(JSON.stringify(value)));
  return btoa(text).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}
