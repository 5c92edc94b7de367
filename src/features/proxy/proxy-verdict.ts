import { addressOfHop, createTrust } from "../../platform/http/client-address.ts";
import { inventedAddress, type Way } from "../../platform/http/way.ts";

/** What a round trip through PUBLIC_URL came to. */
export type RoundTrip =
  | { readonly kind: "unreached"; readonly reason: string }
  /** Something answered that is not this installation. */
  | { readonly kind: "stranger"; readonly status: number; readonly location: string | null }
  | { readonly kind: "seen"; readonly way: Way; readonly isDirect: boolean };

export type Verdict = {
  readonly state: "ok" | "warning" | "failed";
  readonly found: string;
  readonly cure: string | null;
  /** The line to set, whole; null when nothing is to be changed. */
  readonly setting: string | null;
};

const hopsMax = 32;
const letItAdd =
  "Let the proxy write the client's address (haproxy: option forwardfor; nginx: proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for)";

/** Pure: from what was seen to what is to be done. */
export function judge(publicUrl: string, trustedProxies: readonly string[], trip: RoundTrip): Verdict {
  switch (trip.kind) {
    case "unreached": {
      const found = `Nobody answered at PUBLIC_URL=${publicUrl} from here (${trip.reason}).`;
      return warning(found, "Start the server, or see whether its name, its proxy and its certificate are good.");
    }
    case "stranger":
      return judgeStranger(publicUrl, trip.status, trip.location);
    case "seen":
      return trip.isDirect
        ? ok("Nothing stands between: clients come by themselves.")
        : judgeWay(trustedProxies, trip.way);
  }
}

function judgeStranger(publicUrl: string, status: number, location: string | null): Verdict {
  const found = `PUBLIC_URL=${publicUrl} is answered by something else: ${status}${location === null ? "" : `, to ${location}`}.`;
  if (location !== null && URL.canParse(location)) {
    const setting = `PUBLIC_URL=${new URL(location).origin}`;
    return { ...warning(found, `If that is where clients end up, set ${setting}.`), setting };
  }
  const cure = "Let the proxy send this address to Tollgate, or correct PUBLIC_URL; all instances need one SECRET_KEY.";
  return warning(found, cure);
}

function judgeWay(trustedProxies: readonly string[], { peer, forwardedFor, clientAddress }: Way): Verdict {
  const entries = (forwardedFor ?? "").split(",").map((entry) => entry.trim());
  const hops = entries.filter((entry) => entry !== "").slice(-hopsMax);
  // What is right of our invention was written by proxies: the first one names us, each further one the one before.
  const written = hops[0] === inventedAddress ? hops.slice(1) : hops;
  if (written.length === 0) return judgeSilentProxy(trustedProxies, peer, hops.length > 0);
  const unreadable = written.find((hop) => addressOfHop(hop) === undefined);
  if (unreadable !== undefined) {
    return warning(
      `The proxy at ${peer} writes "${unreadable}" into X-Forwarded-For, which is no address.`,
      `${letItAdd}.`,
    );
  }
  const proxies = unique([peer, ...written.slice(1).toReversed()].map((hop) => addressOfHop(hop) ?? hop));
  const isTrusted = createTrust(trustedProxies);
  const strangers = proxies.filter((proxy) => !isTrusted(proxy));
  if (strangers.length === 0)
    return ok(`Clients come by way of ${proxies.join(", ")}, and each is counted by its own address.`);
  const setting = `TRUSTED_PROXIES=${[...trustedProxies, ...strangers].join(",")}`;
  const found = `${strangers.join(", ")} stands between and is not believed: all its clients are counted as ${clientAddress}.`;
  return { state: "warning", found, cure: `Set ${setting}.`, setting };
}

function judgeSilentProxy(trustedProxies: readonly string[], peer: string, handsOn: boolean): Verdict {
  const isNamed = createTrust(trustedProxies)(peer);
  if (handsOn && isNamed) {
    const found = `The proxy at ${peer} hands X-Forwarded-For on as clients write it, and is believed: anybody can choose an address to be counted by.`;
    return { state: "failed", found, cure: `${letItAdd}.`, setting: null };
  }
  const found = `${peer} stands between and does not say for whom: all its clients share one address and its limits.`;
  const setting = isNamed ? null : `TRUSTED_PROXIES=${[...trustedProxies, peer].join(",")}`;
  return { ...warning(found, `${letItAdd}${setting === null ? "" : `, and set ${setting}`}.`), setting };
}

function ok(found: string): Verdict {
  return { state: "ok", found, cure: null, setting: null };
}

function warning(found: string, cure: string): Verdict {
  return { state: "warning", found, cure, setting: null };
}

function unique(texts: readonly string[]): string[] {
  return [...new Set(texts)];
}
