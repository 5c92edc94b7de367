import { createHmac, sign } from "node:crypto";
import type { SigningKey } from "./signing-keys.ts";

/**
 * A JWS in compact form (RFC 7515 §7.1) over these claims, of the type at+jwt (RFC 9068).
 *
 * jose would hand the signature to a thread, by way of WebCrypto: that takes this thread three times as long as to sign.
 */
export function signJwt(claims: object, { id: kid, algorithm: alg, privateKey: key }: SigningKey): string {
  const text = `${encode({ alg, kid, typ: "at+jwt" })}.${encode(claims)}`;
  return `${text}.${signatureOf(Buffer.from(text), alg, key).toString("base64url")}`;
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}

function signatureOf(bytes: Buffer, algorithm: SigningKey["algorithm"], key: SigningKey["privateKey"]): Buffer {
  switch (algorithm) {
    case "ES256": // RFC 7518 §3.4: the two numbers one after the other, not the DER of X.509.
      return sign("sha256", bytes, { key, dsaEncoding: "ieee-p1363" });
    case "EdDSA": // RFC 8037 §3.1
      return sign(null, bytes, key);
    case "HS256":
      return createHmac("sha256", key).update(bytes).digest();
  }
}
