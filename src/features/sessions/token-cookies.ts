import type { IncomingHttpHeaders } from "node:http";
import { Problem } from "../../contract/problems.ts";

/**
 * Tokens as cookies that no script can read (ASVS 3.3.1–3.3.4): `HttpOnly`, `SameSite=Strict`, `Secure` and bound to
 * this very host by their `__Host-` prefix. Plain http on this machine alone goes without the last two, since browsers
 * would drop them.
 */
export type TokenCookie = {
  readonly set: (token: string, maxAgeSeconds: number) => string;
  readonly clear: () => string;
  readonly read: (headers: IncomingHttpHeaders) => string | undefined;
};

export function createTokenCookie(publicUrl: string, purpose: "refresh" | "device"): TokenCookie {
  const isPlainLoopback = /^http:\/\/(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/.test(publicUrl);
  const name = `${isPlainLoopback ? "" : "__Host-"}tollgate_${purpose}`;
  const attributes = `Path=/; HttpOnly; SameSite=Strict${isPlainLoopback ? "" : "; Secure"}`;
  return {
    set: (token, maxAgeSeconds) => `${name}=${token}; Max-Age=${maxAgeSeconds}; ${attributes}`,
    clear: () => `${name}=; Max-Age=0; ${attributes}`,
    read: (headers) => {
      const pair = headers.cookie?.split(";").find((one) => one.trim().startsWith(`${name}=`));
      const token = pair?.slice(pair.indexOf("=") + 1).trim();
      return token === "" ? undefined : token;
    },
  };
}

/**
 * Browsers say where a request comes from and let no page lie about it; who says nothing is no page of ours.
 *
 * @throws Problem `foreign-origin` (ASVS 3.5.1)
 */
export function requireOwnPage(headers: IncomingHttpHeaders, publicUrl: string): void {
  const site = headers["sec-fetch-site"];
  const isOwn = site === undefined ? headers.origin === publicUrl : site === "same-origin";
  if (!isOwn) throw new Problem("foreign-origin");
}
