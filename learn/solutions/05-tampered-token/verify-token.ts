import { createHmac, timingSafeEqual } from "node:crypto";

export type Claims = { readonly sub: string; readonly exp: number };

/** A token for these claims: header, claims and signature, each in base64url. */
export function signToken(claims: Claims, secret: string): string {
  const input = [{ alg: "HS256", typ: "JWT" }, claims].map(encode).join(".");
  return `${input}.${hmac(input, secret).toString("base64url")}`;
}

/** The claims of a genuine token; `undefined` for any other. `now` is in seconds since 1970. */
export function verifyToken(token: string, secret: string, now: number): Claims | undefined {
  const [header = "", payload = "", signature = "", ...more] = token.split(".");
  if (more.length > 0 || decode(header)?.["alg"] !== "HS256") return undefined;
  // The signature first: what is in the claims means nothing before.
  const given = Buffer.from(signature, "base64url");
  const expected = hmac(`${header}.${payload}`, secret);
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) return undefined;
  const claims = decode(payload);
  const { sub, exp } = claims ?? {};
  return typeof sub === "string" && typeof exp === "number" && now < exp ? { sub, exp } : undefined;
}

function encode(part: unknown): string {
  return Buffer.from(JSON.stringify(part)).toString("base64url");
}

/** `undefined` for what is no JSON object. */
function decode(part: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, "base64url").toString());
    return typeof value === "object" && value !== null ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}

function hmac(text: string, secret: string): Buffer {
  return createHmac("sha256", secret).update(text).digest();
}
