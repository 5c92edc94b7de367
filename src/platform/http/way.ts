import type { IncomingMessage } from "node:http";
import { addressKey } from "./client-address.ts";
import { shownText } from "./shown-text.ts";

/** How a request came here, as it shows itself; null for a header that was not sent. Texts are cut and shown plainly. */
export type Way = {
  /** The other end of the socket: the last proxy, or the client itself. */
  readonly peer: string;
  readonly peerPort: number;
  readonly forwardedFor: string | null;
  readonly forwarded: string | null;
  readonly forwardedProto: string | null;
  readonly forwardedHost: string | null;
  readonly host: string | null;
  readonly scheme: "http" | "https";
  /** What was made of it: whom this server takes for the client, and by what it counts. */
  readonly clientAddress: string;
  readonly limiterKey: string;
};

/**
 * What our own check writes into X-Forwarded-For, as a client might: an address of nobody (RFC 5737). A proxy replaces it,
 * or adds to it; one that hands it on as it is lets everybody choose an address.
 */
export const inventedAddress = "192.0.2.1";

const textLengthMax = 512;

export function wayOf({ socket, headers }: IncomingMessage, clientAddress: string): Way {
  const shown = (name: string): string | null => {
    const value = headers[name];
    return value === undefined ? null : shownText(String(value)).slice(0, textLengthMax);
  };
  return {
    peer: socket.remoteAddress ?? "",
    peerPort: socket.remotePort ?? 0,
    forwardedFor: shown("x-forwarded-for"),
    forwarded: shown("forwarded"),
    forwardedProto: shown("x-forwarded-proto"),
    forwardedHost: shown("x-forwarded-host"),
    host: shown("host"),
    scheme: "encrypted" in socket && socket.encrypted === true ? "https" : "http",
    clientAddress,
    limiterKey: `address:${addressKey(clientAddress)}`,
  };
}
