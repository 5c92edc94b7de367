import type { Logger } from "pino";
import type { Clock } from "../clock.ts";
import { addressKey, addressOfHop, createTrust } from "./client-address.ts";
import { inventedAddress } from "./way.ts";

/** Notices when clients that somebody forwards are all counted as one, because TRUSTED_PROXIES does not name him. */
export type ForwardingWatch = {
  readonly saw: (request: {
    readonly peer: string;
    readonly forwardedFor: string | readonly string[] | undefined;
    readonly forwarded: string | undefined;
  }) => void;
  /** Whether it was so of late. */
  readonly isAmiss: () => boolean;
};

const rememberMilliseconds = 10 * 60_000;
/** Anybody can send such headers: neither peers nor what they claim is kept without a bound. */
const peersMax = 64;
const toldMax = 16;
const claimLengthMax = 64;

type Peer = { readonly firstClaim: string; readonly isAmiss: boolean; readonly seenAt: number };

export function createForwardingWatch({
  trustedProxies,
  clock,
  log,
}: {
  readonly trustedProxies: readonly string[];
  readonly clock: Pick<Clock, "monotonicNow">;
  readonly log: Pick<Logger, "warn">;
}): ForwardingWatch {
  const peers = new Map<string, Peer>();
  const told = new Set<string>();
  const isTrusted = createTrust(trustedProxies);
  const tell = (key: string, peer: string): void => {
    if (told.has(key) || told.size >= toldMax) return;
    told.add(key);
    const setting = `TRUSTED_PROXIES=${[...trustedProxies, peer].join(",")}`;
    log.warn(
      { part: "proxy", peer, setting },
      `a forwarding header comes from ${peer}, which TRUSTED_PROXIES does not name, for several clients: they all count as one. ` +
        `If that is your proxy, set ${setting}; if it is not, somebody makes them up, and nothing is to be done`,
    );
  };
  return {
    saw: ({ peer: rawPeer, forwardedFor, forwarded }) => {
      if (forwardedFor === undefined && forwarded === undefined) return;
      if (isTrusted(rawPeer)) return;
      const peer = addressOfHop(rawPeer) ?? rawPeer;
      const claim = claimOf(forwardedFor, forwarded);
      if (claim === "" || claim === peer || claim === inventedAddress) return;
      const now = clock.monotonicNow();
      const key = addressKey(peer);
      const known = peers.get(key);
      const isNew = known === undefined || now - known.seenAt >= rememberMilliseconds;
      // Two different clients under one key are one too many.
      const isAmiss = !isNew && (known.isAmiss || claim !== known.firstClaim);
      peers.delete(key);
      peers.set(key, { firstClaim: isNew ? claim : known.firstClaim, isAmiss, seenAt: now });
      if (peers.size > peersMax) peers.delete(peers.keys().next().value ?? key); // Who was here longest ago.
      if (isAmiss) tell(key, peer);
    },
    isAmiss: () => {
      const now = clock.monotonicNow();
      return [...peers.values()].some(({ isAmiss, seenAt }) => isAmiss && now - seenAt < rememberMilliseconds);
    },
  };
}

/** For whom it is said to be: the left end of the chain. */
function claimOf(forwardedFor: string | readonly string[] | undefined, forwarded: string | undefined): string {
  const chain = [forwardedFor ?? /\bfor="?([^;,"]*)/i.exec(forwarded?.slice(0, 1024) ?? "")?.[1] ?? ""].flat()[0] ?? "";
  const end = chain.indexOf(",");
  return (end === -1 ? chain : chain.slice(0, end)).trim().slice(0, claimLengthMax);
}
