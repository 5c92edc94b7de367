import { isIP, isIPv4, isIPv6 } from "node:net";
import ipaddr from "ipaddr.js";

type Address = ipaddr.IPv4 | ipaddr.IPv6;
type Range = readonly [Address, number];

const loopback = ["127.0.0.0/8", "::1/128"];
/** How many entries of X-Forwarded-For are looked at: more hops than anybody runs, few enough to be cheap. */
const hopsMax = 32;
/** How many peers that are no proxies are remembered: to read an address takes longer than all else that is done with it. */
const strangersMax = 1_000;

/**
 * Who is asking: the peer of the socket, or, when that is a trusted proxy, whom it names.
 *
 * X-Forwarded-For is read from its right end, where the nearest proxy writes, and only as long as the hop before is
 * trusted: everything further left may be the client's own invention (ASVS 15.3.4). An entry that is no address ends
 * the walk at the last good one: a proxy that we trust wrote something we cannot read, so it is answerable itself.
 * IPv4 written as IPv6 (`::ffff:192.0.2.1`) comes out as IPv4.
 */
export function createClientAddress(
  trustedProxies: readonly string[],
): (peer: string, forwardedFor: string | readonly string[] | undefined) => string {
  const ranges = rangesOf(trustedProxies);
  if (ranges.length === 0) return (peer) => plainAddress(peer);
  const strangers = new Map<string, string>();
  return (peer, forwardedFor) => {
    const known = strangers.get(peer);
    if (known !== undefined) return known;
    let client = parseAddress(peer);
    if (client === undefined || !isTrusted(ranges, client)) {
      const address = client?.toString() ?? peer;
      if (strangers.size >= strangersMax) strangers.clear();
      strangers.set(peer, address);
      return address;
    }
    for (const hop of nearestHops([forwardedFor ?? []].flat().join(","))) {
      const next = parseAddress(hop);
      if (next === undefined) break;
      client = next;
      if (!isTrusted(ranges, client)) break;
    }
    return client.toString();
  };
}

function rangesOf(trustedProxies: readonly string[]): readonly Range[] {
  return trustedProxies.flatMap((text) => (text === "loopback" ? loopback : [text])).map(parseRange);
}

/** Says of an address whether it is one of those proxies. */
export function createTrust(trustedProxies: readonly string[]): (address: string) => boolean {
  const ranges = rangesOf(trustedProxies);
  return (address) => {
    const parsed = parseAddress(address);
    return parsed !== undefined && isTrusted(ranges, parsed);
  };
}

/** The plain address of a socket's end or of an entry of X-Forwarded-For; undefined for what is none. */
export function addressOfHop(text: string): string | undefined {
  return parseAddress(text)?.toString();
}

/** The entries of X-Forwarded-For from its right end, one at a time: a header full of commas is never split whole. */
function* nearestHops(forwardedFor: string): Generator<string> {
  let end = forwardedFor.length;
  for (let count = 0; count < hopsMax && end >= 0; count += 1) {
    const comma = forwardedFor.lastIndexOf(",", end - 1);
    yield forwardedFor.slice(comma + 1, end);
    end = comma;
  }
}

/** Whether the peer of a socket is this machine itself. */
export function isLoopback(peer: string): boolean {
  const address = parseAddress(peer);
  return address !== undefined && isTrusted(loopback.map(parseRange), address);
}

/**
 * What a limiter counts by: an IPv4 address, or the /64 of an IPv6 one, since that is what a single customer gets.
 */
export function addressKey(address: string): string {
  if (!address.includes(":")) return address;
  const parsed = parseAddress(address);
  if (parsed === undefined || parsed.kind() === "ipv4") return parsed?.toString() ?? address;
  const [a = 0, b = 0, c = 0, d = 0] = (parsed as ipaddr.IPv6).parts;
  return `${new ipaddr.IPv6([a, b, c, d, 0, 0, 0, 0]).toString()}/64`;
}

/**
 * Reads a comma-separated list of addresses and CIDRs, or says in a sentence what is wrong with it.
 * A range that lets anybody speak for anybody is refused, above all `::ffff:10.0.0.0/8`: as IPv6 its prefix covers
 * the whole internet (CVE-2026-92395).
 */
export function parseTrustedProxies(list: string): readonly string[] | { readonly fault: string } {
  const entries = list.split(",").map((entry) => entry.trim());
  for (const entry of entries.filter((one) => one !== "loopback")) {
    const fault = faultOf(entry);
    if (fault !== undefined) return { fault: `"${entry.slice(0, 64)}" ${fault}` };
  }
  return entries;
}

function faultOf(entry: string): string | undefined {
  const [address = "", prefix, more] = entry.split("/");
  if (more !== undefined || isIP(address) === 0) {
    return "is no IP address or CIDR; write the proxy's address, as 10.0.0.5 or 10.0.0.0/24, or the word loopback.";
  }
  if (prefix === undefined) return undefined;
  const parsed = ipaddr.parse(address);
  const bitsMax = parsed.kind() === "ipv4" ? 32 : 128;
  const bits = Number(prefix);
  if (!/^\d{1,3}$/.test(prefix) || bits > bitsMax) return `has no prefix from 1 to ${bitsMax}.`;
  if (bits === 0) return "trusts everybody; name the proxy's own network.";
  if (parsed instanceof ipaddr.IPv6 && parsed.isIPv4MappedAddress() && bits <= 96) {
    return "would trust every IPv4 address, because the prefix counts all 128 bits; write the IPv4 range itself, as 10.0.0.0/8.";
  }
  return undefined;
}

function parseRange(text: string): Range {
  const [address = "", prefix] = text.split("/");
  const parsed = ipaddr.parse(address);
  const bits = prefix === undefined ? (parsed.kind() === "ipv4" ? 32 : 128) : Number(prefix);
  if (parsed instanceof ipaddr.IPv6 && parsed.isIPv4MappedAddress()) return [parsed.toIPv4Address(), bits - 96];
  return [parsed, bits];
}

function isTrusted(ranges: readonly Range[], address: Address): boolean {
  return ranges.some(([range, bits]) => {
    if (address instanceof ipaddr.IPv4) return range instanceof ipaddr.IPv4 && address.match(range, bits);
    return range instanceof ipaddr.IPv6 && address.match(range, bits);
  });
}

function plainAddress(peer: string): string {
  return peer.includes(":") ? (parseAddress(peer)?.toString() ?? peer) : peer;
}

/** An address as it stands in a socket or a header: with port, brackets, zone or none of them. */
function parseAddress(text: string): Address | undefined {
  const trimmed = text.trim();
  if (trimmed.length > 64) return undefined;
  const [, bracketed, withPort] =
    /^(?:\[([^\]]+)\](?::\d{1,5})?|(\d{1,3}(?:\.\d{1,3}){3}):\d{1,5})$/.exec(trimmed) ?? [];
  const bare = (bracketed ?? withPort ?? trimmed).replace(/%[\w.-]+$/, "");
  // Most peers of a socket that listens on both families, and ipaddr.js is slow with them.
  const dotted = bare.startsWith("::ffff:") ? bare.slice("::ffff:".length) : bare;
  if (isIPv4(dotted)) return new ipaddr.IPv4(dotted.split(".").map(Number));
  // Both must agree: ipaddr.js also takes `::ffff:0xa.0.0.1`, Node.js also zones that ipaddr.js does not.
  if (!isIPv6(bare) || !ipaddr.IPv6.isValid(bare)) return undefined;
  const address = ipaddr.IPv6.parse(bare);
  return isMapped(address) ? address.toIPv4Address() : address;
}

function isMapped({ parts }: ipaddr.IPv6): boolean {
  return parts[5] === 0xff_ff && parts.slice(0, 5).every((part) => part === 0);
}
