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
    ["10.0.0.1", "2130706433", "10.0.0.1"],
    ["10.0.0.1", "::ffff:0xcb.0.113.1", "10.0.0.1"],
    ["10.0.0.1", "::ffff:cb00:7101", "203.0.113.1"],
    ["10.0.0.1", "0:0:0:0:0:ffff:203.0.113.1", "203.0.113.1"],
    ["10.0.0.1", "::fffe:203.0.113.1", "::fffe:cb00:7101"],
    ["10.0.0.1", ",", "10.0.0.1"],
    ["10.0.0.1", ",203.0.113.1", "203.0.113.1"],
    ["10.0.0.1", [], "10.0.0.1"],
    ["10.0.0.1", "256.1.1.1", "10.0.0.1"],
    ["10.0.0.1", "203.0.113.1:", "10.0.0.1"],
    ["10.0.0.1", "[203.0.113.1", "10.0.0.1"],
    ["10.0.0.1", "[2001:db8::7", "10.0.0.1"],
    ["10.0.0.1", "unknown", "10.0.0.1"], // RFC 7239 §6.2 and §6.3, as some proxies write them here.
    ["10.0.0.1", "_hidden", "10.0.0.1"],
    ["10.0.0.1", "for=203.0.113.1", "10.0.0.1"],
    ["10.0.0.1", "203.0.113.1 203.0.113.2", "10.0.0.1"],
    ["10.0.0.1", "203.0.113.1\0", "10.0.0.1"],
    ["10.0.0.1", "203.0.113.1,", "10.0.0.1"],
    ["10.0.0.1", `${"0".repeat(100_000)}1.2.3.4`, "10.0.0.1"],
    ["10.0.0.1", "203.0.113.1, nonsense, 10.0.0.2", "10.0.0.2"],
    ["10.0.0.1", "  203.0.113.1\t", "203.0.113.1"],
    ["10.0.0.1", "[2001:db8::7%eth0]", "2001:db8::7"],
    ["10.0.0.1", "[::ffff:203.0.113.1]:80", "203.0.113.1"],
    ["10.0.0.1", "203.0.113.1, ::ffff:10.0.0.2", "203.0.113.1"],
    ["::ffff:198.51.100.1", "203.0.113.1", "198.51.100.1"],
    ["2001:db8:2::5", "203.0.113.1", "2001:db8:2::5"],
    ["2001:db8:1::5%eth0", "203.0.113.1", "203.0.113.1"],
    ["", "203.0.113.1", ""], // The socket was closed already.
  ];
  for (const [peer, forwardedFor, expected] of cases) {
    assert.equal(clientAddress(peer, forwardedFor), expected, `${peer} ${String(forwardedFor)}`);
  }
});

test("an untrusted peer is who it is, whatever it says", () => {
  // ASVS 15.3.4 (requirement 78), V32: a peer that is not named may not speak for others, not even for a proxy.
  const clientAddress = createClientAddress(["10.0.0.5", "2001:db8:1::/48", "loopback"]);
  const peer = fc.ipV4().filter((address) => address !== "10.0.0.5" && !address.startsWith("127."));
  const said = fc.oneof(fc.string(), fc.ipV4(), fc.ipV6(), fc.constantFrom("10.0.0.5", "127.0.0.1", "::1"));
  const headers = fc.oneof(said, fc.array(said), fc.constant(undefined));
  fc.assert(
    fc.property(peer, headers, (address, forwardedFor) => {
      assert.equal(clientAddress(address, forwardedFor), address);
      assert.equal(clientAddress(`::ffff:${address}`, forwardedFor), address);
    }),
  );
});

test("what a client puts before the proxy's entry changes nothing", () => {
  // V34: the left-most entry is the client's own invention.
  const clientAddress = createClientAddress(["10.0.0.0/8"]);
  const spoofed = fc.array(fc.oneof(fc.string(), fc.ipV4(), fc.ipV6()), { maxLength: 50 });
  fc.assert(
    fc.property(spoofed, (entries) => {
      assert.equal(clientAddress("10.0.0.1", [...entries, "203.0.113.1", "10.0.0.2"].join(", ")), "203.0.113.1");
      assert.equal(clientAddress("10.0.0.1", [...entries, "203.0.113.1"]), "203.0.113.1");
    }),
  );
});

test("a bomb of ten thousand entries is looked at to its bound", () => {
  const clientAddress = createClientAddress(["10.0.0.0/8"]);
  const bombs = ["10.0.0.2", "::ffff:10.0.0.2", "10.0.0.2:80", ""].map((entry) => Array(10_000).fill(entry).join(","));
  for (let count = 0; count < 100; count += 1) {
    for (const bomb of bombs) assert.match(clientAddress("10.0.0.1", `203.0.113.1,${bomb}`), /^10\.0\.0\.[12]$/);
  }
});

test("the walk ends after 32 entries, the last of which counts", () => {
  const clientAddress = createClientAddress(["10.0.0.0/8"]);
  const behind = (proxies: number): string =>
    clientAddress("10.0.0.1", `203.0.113.1,${Array(proxies).fill("10.0.0.2").join(", ")}`);
  assert.equal(behind(31), "203.0.113.1");
  assert.equal(behind(32), "10.0.0.2");
});

test("a limiter counts IPv4 whole, IPv6 by its /64, and mapped IPv4 as IPv4", () => {
  // V34
  assert.equal(addressKey("192.0.2.1"), "192.0.2.1");
  assert.equal(addressKey("::ffff:192.0.2.1"), "192.0.2.1");
  assert.equal(addressKey("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::/64");
  assert.equal(addressKey("2001:DB8:1:2::1"), "2001:db8:1:2::/64");
  assert.notEqual(addressKey("2001:db8:1:3::1"), addressKey("2001:db8:1:2::1"));
  assert.equal(addressKey("fe80::1%eth0"), "fe80::/64");
  assert.equal(addressKey("[2001:db8:1:2::1]:443"), "2001:db8:1:2::/64");
  assert.equal(addressKey("::1"), "::/64");
});

test("every address has one key, a key is its own key, and no text throws", () => {
  // V34
  const isKey = /^(?:\d+(?:\.\d+){3}|[0-9a-f:]+\/64)$/;
  fc.assert(
    fc.property(fc.ipV4(), (address) => {
      assert.deepEqual([address, `::ffff:${address}`, `::FFFF:${address}`].map(addressKey), Array(3).fill(address));
    }),
  );
  fc.assert(
    fc.property(fc.ipV6(), (address) => {
      const key = addressKey(address);
      assert.match(key, isKey);
      assert.deepEqual([key, address.toUpperCase(), `[${address}]:80`].map(addressKey), Array(3).fill(key));
    }),
  );
  const group = fc.nat(0xff_ff).map((number) => number.toString(16));
  const groups = (count: number): fc.Arbitrary<string> =>
    fc.array(group, { minLength: count, maxLength: count }).map((all) => all.join(":"));
  fc.assert(
    fc.property(groups(3), groups(4), groups(4), (site, one, other) => {
      const prefix = `2001:${site}`;
      assert.equal(addressKey(`${prefix}:${one}`), addressKey(`${prefix}:${other}`), "the /64 is one customer");
    }),
  );
  const anything = fc.oneof(fc.string({ unit: "binary" }), fc.string({ unit: fc.constantFrom(..."0123abf:.[]%/ ") }));
  fc.assert(
    fc.property(anything, (text) => {
      const key = addressKey(text);
      assert.equal(addressKey(key), key);
      createClientAddress([])(text, text);
      createClientAddress(["loopback"])(text, text);
      parseTrustedProxies(text);
    }),
    { numRuns: 1000 },
  );
});

test("a list of proxies that trusts too much or names nobody is refused with a sentence", () => {
  // V33: ::ffff:10.0.0.0/8 covers the whole internet.
  const refused: readonly (readonly [list: string, fault: RegExp])[] = [
    ["", /no IP address/],
    ["*", /no IP address/],
    ["true", /no IP address/],
    ["1", /no IP address/],
    ["proxy.example.com", /no IP address/],
    ["LOOPBACK", /no IP address/],
    ["10.1", /no IP address/],
    ["0x0a.0.0.1", /no IP address/],
    ["010.0.0.1", /no IP address/],
    ["::ffff:0x0a.0.0.1", /no IP address/],
    ["[::1]", /no IP address/],
    ["10.0.0.5:8080", /no IP address/],
    ["10.0.0.0/8/8", /no IP address/],
    ["10.0.0.1,,10.0.0.2", /no IP address/],
    ["10.0.0.1,", /no IP address/],
    ["10.0.0.1 10.0.0.2", /no IP address/],
    ["10.0.0.0/33", /no prefix/],
    ["10.0.0.0/-1", /no prefix/],
    ["10.0.0.0/x", /no prefix/],
    ["10.0.0.0/", /no prefix/],
    ["10.0.0.0/255.0.0.0", /no prefix/],
    ["::1/129", /no prefix/],
    ["0.0.0.0/0", /trusts everybody/],
    ["0.0.0.0/00", /trusts everybody/],
    ["10.0.0.0/0", /trusts everybody/],
    ["::/0", /trusts everybody/],
    ["loopback, 0.0.0.0/0", /trusts everybody/],
    ["::ffff:10.0.0.0/8", /every IPv4 address/],
    ["::FFFF:A00:0/8", /every IPv4 address/],
    ["::ffff:0:0/95", /every IPv4 address/],
    ["::ffff:0:0/96", /every IPv4 address/],
    ["0:0:0:0:0:ffff::/96", /every IPv4 address/],
    ["::ffff:10.0.0.0/96", /every IPv4 address/],
    ["x".repeat(10_000), /no IP address/],
  ];
  for (const [list, fault] of refused) {
    const parsed = parseTrustedProxies(list);
    assert.ok("fault" in parsed, list);
    assert.match(parsed.fault, fault, list);
    assert.match(parsed.fault, /^"[^"]{0,64}" .*\.$/, list);
  }
});

test("a list that is accepted trusts whom it names, and nobody beside", () => {
  // V33
  const table: readonly (readonly [list: string, trusted: readonly string[], others: readonly string[]])[] = [
    ["10.0.0.5", ["10.0.0.5", "::ffff:10.0.0.5"], ["10.0.0.4", "10.0.0.6", "::1"]],
    ["10.0.0.0/8, 192.168.1.1", ["10.255.255.255", "192.168.1.1"], ["11.0.0.0", "9.255.255.255", "192.168.1.2"]],
    ["10.0.0.5/24", ["10.0.0.1", "10.0.0.255"], ["10.0.1.0"]],
    ["2001:db8::/32", ["2001:db8:ffff::1"], ["2001:db9::1", "10.0.0.1"]],
    ["loopback", ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"], ["128.0.0.1", "::2", "10.0.0.1"]],
    ["::1", ["::1"], ["127.0.0.1", "::2"]],
    ["::ffff:10.0.0.0/104", ["10.9.9.9", "::ffff:10.9.9.9"], ["11.0.0.1", "::ffff:11.0.0.1"]],
    ["::ffff:10.0.0.5", ["10.0.0.5"], ["10.0.0.6"]],
    ["::/1", ["2001:db8::1"], ["10.0.0.1", "::ffff:10.0.0.1"]], // Written as IPv6, it says nothing of IPv4.
  ];
  for (const [list, trusted, others] of table) {
    const parsed = parseTrustedProxies(list);
    assert.ok(!("fault" in parsed), list);
    const clientAddress = createClientAddress(parsed);
    for (const peer of trusted) assert.equal(clientAddress(peer, "203.0.113.9"), "203.0.113.9", `${list}: ${peer}`);
    for (const peer of others) assert.notEqual(clientAddress(peer, "203.0.113.9"), "203.0.113.9", `${list}: ${peer}`);
  }
});
