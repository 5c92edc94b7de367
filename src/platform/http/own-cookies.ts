import type { IncomingHttpHeaders } from "node:http";

/** A cookie of this server's own, that no script can read. */
export type OwnCookie = {
  readonly set: (value: string, maxAgeSeconds: number) => string;
  readonly clear: () => string;
  readonly read: (headers: IncomingHttpHeaders) => string | undefined;
};

/**
 * Makes a cookie (ASVS 3.3.1–3.3.4): `HttpOnly`, `SameSite`, `Secure` and bound to this very host by its `__Host-`
 * prefix. Plain http on this machine alone goes without the last two, since browsers would drop them.
 *
 * @param sameSite `Lax` only for what must come along when a link in a mail is opened, and proves nothing.
 */
export function createOwnCookie(
  publicUrl: string,
  purpose: "refresh" | "device" | "mail",
  sameSite: "Strict" | "Lax",
): OwnCookie {
  const isPlainLoopback = /^http:\/\/(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/.test(publicUrl);
  const name = `${isPlainLoopback ? "" : "__Host-"}tollgate_${purpose}`;
  const attributes = `Path=/; HttpOnly; SameSite=${sameSite}${isPlainLoopback ? "" : "; Secure"}`;
  return {
    set: (value, maxAgeSeconds) => `${name}=${value}; Max-Age=${maxAgeSeconds}; ${attributes}`,
    clear: () => `${name}=; Max-Age=0; ${attributes}`,
    read: (headers) => {
      const pair = headers.cookie?.split(";").find((one) => one.trim().startsWith(`${name}=`));
      const value = pair?.slice(pair.indexOf("=") + 1).trim();
      return value === "" ? undefined : value;
    },
  };
}
