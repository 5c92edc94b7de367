import type { IncomingMessage } from "node:http";
import { isLoopback } from "./client-address.ts";

/** What a proxy or a tunnel adds: whoever is behind it does not sit at this machine. */
const forwardingHeaders = [
  "forwarded",
  "via",
  "x-forwarded-for",
  "x-forwarded-host",
  "x-forwarded-proto",
  "x-real-ip",
] as const;

/** The names of this machine that no name server can give to another one, or another one's to it. */
const ownHost = /^(?:localhost|127\.0\.0\.1|\[::1\])(?::\d{1,5})?$/i;

/**
 * Whether a program on this machine asks, or a page of this very server.
 *
 * A socket from loopback is not enough: the browser on this machine also runs the pages of others. One that had its
 * own name resolved to 127.0.0.1 (DNS rebinding) shows it in Host; one of another origin, another port included, in
 * Origin or Sec-Fetch-Site, which no script can set. Bodies are JSON alone, which a form cannot send unasked.
 */
export function isFromThisMachine({ headers, socket }: IncomingMessage): boolean {
  const { host = "", origin } = headers;
  const site = headers["sec-fetch-site"];
  return (
    isLoopback(socket.remoteAddress ?? "") &&
    forwardingHeaders.every((name) => headers[name] === undefined) &&
    ownHost.test(host) &&
    (origin === undefined || origin === `http://${host}`) &&
    // "none" is an address that a person typed.
    (site === undefined || site === "same-origin" || site === "none")
  );
}
