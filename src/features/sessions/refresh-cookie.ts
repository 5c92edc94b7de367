import type { IncomingHttpHeaders } from "node:http";
import { Problem } from "../../contract/problems.ts";

/**
 * The refresh token as a cookie that no script can read (ASVS 3.3.1–3.3.4): `HttpOnly`, `SameSite=Strict`, `Secure`
 * and bound to this very host by its `__Host-` prefix. Plain http on this machine alone goes without the last two,
 * since browsers would drop them.
 */
export type RefreshCookie = {
  readonly set: (token: string, maxAgeSeconds: number) => string;
  readonly clear: () => string;
  /**
   * The token that a request's cookie brings.
   *
   * @throws Problem `foreign-origin` when the request is not from a page of our own (ASVS 3.5.1)
   */
  readonly read: (headers: IncomingHttpHeaders) => string | undefined;
};

export function createRefreshCookie(publicUrl: string): RefreshCookie {
  const isPlainLoopback = /^http:\/\/(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/.test(publicUrl);
  const name = isPlainLoopback ? "tollgate_refresh" : "__Host-tollgate_refresh";
  const attributes = `Path=/; HttpOnly; SameSite=Strict${isPlainLoopback ? "" : "; Secure"}`;
  return {
    set: (token, maxAgeSeconds) => `${name}=${token}; Max-Age=${maxAgeSeconds}; ${attributes}`,
    clear: () => `${name}=; Max-Age=0; ${attributes}`,
    read: (headers) => {
      const pair = headers.cookie?.split(";").find((one) => one.trim().startsWith(`${name}=`));
      const token = pair?.slice(pair.indexOf("=") + 1).trim();
      if (token === undefined || token === "") return undefined;
      if (!isFromOwnPage(headers, publicUrl)) throw new Problem("foreign-origin");
      return token;
    },
  };
}

// Browsers say where a request comes from and let no page lie about it; who says nothing is no page of ours.
function isFromOwnPage(headers: IncomingHttpHeaders, publicUrl: string): boolean {
  const site = headers["sec-fetch-site"];
  return site === undefined ? headers.origin === publicUrl : site === "same-origin";
}
