import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { addressKey, createClientAddress, parseTrustedProxies } from "./client-address.ts";

test("without trusted proxies nobody's header is believed", () => {
  // ASVS 4.1.3 (requirement 78), V32
  const clientAddress = createClientAddress([]);
  assert.equal(clientAddress("192.0.2.1", "203.0.113.9"), "192.0.2.1");
  assert.equal(clientAddress("::ffff:192.0.2.1", undefined), "192.0.2.1");
  assert.equal(clientAddress("2001:DB8::1", "203.0.113.9"), "2001:db8::1");
});

test("behind trusted proxies the chain is read from its right end, as far as it is trusted", () => {
  const clientAddress = createClientAddress(["10.0.0.0/8", "2001:db8:1::/48", "loopback"]);
  const cases: readonly (readonly [string, string | readonly string[] | undefined, string])[] = [
    ["10.0.0.1", "203.0.113.1", "203.0.113.1"],
    ["10.0.0.1", undefined, "10.0.0.1"],
    ["10.0.0.1", "", "10.0.0.1"],
    ["198.51.100.1", "203.0.113.1", "198.51.100.1"],
    ["10.0.0.1", "1.1.1.1, 203.0.113.1", "203.0.113.1"],
    ["10.0.0.1", "1.1.1.1, 203.0.113.1, 10.0.0.2", "203.0.113.1"],
    ["10.0.0.1", ["1.1.1.1", "203.0.113.1, 10.0.0.2"], "203.0.113.1"],
    ["10.0.0.1", "10.0.0.3, 10.0.0.2", "10.0.0.3"],
    ["10.0.0.1", "203.0.113.1, nonsense", "10.0.0.1"],
    ["10.0.0.1", "203.0.113.1:4711", "203.0.113.1"],
    ["10.0.0.1", "[2001:db8::7]:4711", "2001:db8::7"],
    ["10.0.0.1", "2001:db8::7%eth0", "2001:db8::7"],
    ["10.0.0.1", "::ffff:203.0.113.1", "203.0.113.1"],
    ["::ffff:10.0.0.1", "203.0.113.1", "203.0.113.1"],
    ["2001:db8:1::5", "203.0.113.1", "203.0.113.1"],
    ["127.0.0.1", "203.0.113.1", "203.0.113.1"],
    ["::1", "203.0.113.1", "203.0.113.1"],
    ["10.0.0.1", "0x7f.1", "10.0.0.1"],
    ["10.0.0.1", "010.0.0.1", "10.0.0.1"],
  ];
  for (const [peer, forwardedFor, expected] of cases) {
    assert.equal(clientAddress(peer, forwardedFor), expected, `${peer} ${String(forwardedFor)}`);
  }
});

test("a bomb of ten thousand entries is looked at to its bound", () => {
  const clientAddress = createClientAddress(["10.0.0.0/8"]);
  assert.equal(clientAddress("10.0.0.1", Array.from({ length: 10_000 }, () => "10.0.0.2").join(",")), "10.0.0.2");
});

test("a limiter counts IPv4 whole, IPv6 by its /64, and mapped IPv4 as IPv4", () => {
  // V34
  assert.equal(addressKey("192.0.2.1"), "192.0.2.1");
  assert.equal(addressKey("::ffff:192.0.2.1"), "192.0.2.1");
  assert.equal(addressKey("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::/64");
  assert.equal(addressKey("2001:DB8:1:2::1"), "2001:db8:1:2::/64");
  assert.notEqual(addressKey("2001:db8:1:3::1"), addressKey("2001:db8:1:2::1"));
  fc.assert(fc.property(fc.string(), (text) => typeof addressKey(text) === "string"));
  const isKey = (address: string): boolean => /^(?:\d+(?:\.\d+){3}|[0-9a-f:]+\/64)$/.test(addressKey(address));
  fc.assert(fc.property(fc.ipV6(), isKey));
});

test("a list of proxies that trusts too much or names nobody is refused with a sentence", () => {
  // V33: ::ffff:10.0.0.0/8 covers the whole internet.
  for (const good of [
    "10.0.0.5",
    "10.0.0.0/8, 192.168.1.1",
    "2001:db8::/32",
    "loopback",
    "::ffff:10.0.0.0/104",
    "::1",
  ]) {
    assert.ok(Array.isArray(parseTrustedProxies(good)), good);
  }
  for (const bad of [
    "",
    "*",
    "proxy.example.com",
    "0.0.0.0/0",
    "::/0",
    "::ffff:10.0.0.0/8",
    "::ffff:0:0/95",
    "10.0.0.0/33",
    "10.0.0.0/x",
    "10.1",
    "10.0.0.1,,10.0.0.2",
    "10.0.0.0/8/8",
  ]) {
    const parsed = parseTrustedProxies(bad);
    assert.ok("fault" in parsed, bad);
    assert.match(parsed.fault, /\.$/);
  }
});
