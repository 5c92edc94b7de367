import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { Compile } from "typebox/compile";
import Type from "typebox";
import { parseEmailAddress } from "./email-address.ts";

const long = (length: number): string => "a".repeat(length);
const domainOf = (length: number): string => `${`${long(49)}.`.repeat(3)}${long(length - 150)}`;

/** Typed, canonical. */
const accepted: readonly (readonly [string, string])[] = [
  ["alice@example.com", "alice@example.com"],
  ["Alice@Example.COM", "alice@example.com"],
  ["  alice@example.com ", "alice@example.com"],
  ["a@b.c", "a@b.c"],
  ["a.b.c@example.com", "a.b.c@example.com"],
  ["alice+tag@example.com", "alice+tag@example.com"],
  ["!#$%&'*+/=?^_`{|}~-@example.com", "!#$%&'*+/=?^_`{|}~-@example.com"],
  ["1234567890@example.com", "1234567890@example.com"],
  ["_@example.com", "_@example.com"],
  ["-@example.com", "-@example.com"],
  ["o'brien@example.com", "o'brien@example.com"],
  ["a/b=c@example.com", "a/b=c@example.com"],
  ["alice@sub.example.co.uk", "alice@sub.example.co.uk"],
  ["alice@123.example", "alice@123.example"],
  ["alice@a-b.example", "alice@a-b.example"],
  ["alice@a--b.example", "alice@a--b.example"],
  ["alice@1.2.3.4.example", "alice@1.2.3.4.example"],
  ["alice@example.museum", "alice@example.museum"],
  [`${long(64)}@example.com`, `${long(64)}@example.com`],
  [`alice@${long(63)}.com`, `alice@${long(63)}.com`],
  [`${long(64)}@${domainOf(189)}`, `${long(64)}@${domainOf(189)}`],
  ["alice@bücher.example", "alice@xn--bcher-kva.example"],
  ["alice@Bücher.Example", "alice@xn--bcher-kva.example"],
  ["alice@xn--bcher-kva.example", "alice@xn--bcher-kva.example"],
  ["alice@XN--BCHER-KVA.example", "alice@xn--bcher-kva.example"],
  ["alice@例え.jp", "alice@xn--r8jz45g.jp"],
  ["alice@пример.рф", "alice@xn--e1afmkfd.xn--p1ai"],
  ["alice@example.xn--p1ai", "alice@example.xn--p1ai"],
];

const refused: readonly string[] = [
  // No mailbox at all.
  "",
  " ",
  "@",
  "alice",
  "alice@",
  "@example.com",
  "example.com",
  "alice at example.com",
  // Local parts: RFC 5322 §3.2.3 dot-atom only.
  ".alice@example.com",
  "alice.@example.com",
  "al..ice@example.com",
  "al ice@example.com",
  "alice @example.com",
  "al(ice@example.com",
  "alice(comment)@example.com",
  "(comment)alice@example.com",
  '"alice"@example.com',
  '"al ice"@example.com',
  '"@"@example.com',
  "al\\ice@example.com",
  "al:ice@example.com",
  "al[ice@example.com",
  "alice@bob@example.com",
  `${long(65)}@example.com`,
  // More than one mailbox, or more than a mailbox (V22).
  "alice@example.com,bob@example.com",
  "alice@example.com, bob@example.com",
  "alice@example.com;bob@example.com",
  "bob@evil.example,alice@example.com",
  "bob,alice@example.com",
  "bob;alice@example.com",
  "Alice <alice@example.com>",
  "<alice@example.com>",
  "mailto:alice@example.com",
  "alice@example.com bob@example.com",
  // Control characters (V22: a header of one's own).
  "alice@example.com\r\nBcc: evil@x.test",
  "alice\r\n@example.com",
  "alice@example.com\n",
  "\nalice@example.com",
  "alice@example.com\r",
  "\talice@example.com",
  "alice\0@example.com",
  "alice@example.com\0",
  "alice\u007f@example.com",
  "alice@exam\tple.com",
  "alice\u00a0@example.com",
  "\u3000alice@example.com",
  // Domains.
  "alice@example",
  "alice@localhost",
  "alice@.example.com",
  "alice@example.com.",
  "alice@example..com",
  "alice@-example.com",
  "alice@example-.com",
  "alice@exam_ple.com",
  "alice@exam ple.com",
  "alice@example.com/path",
  "alice@example.com:25",
  "alice@example.com(comment)",
  "alice@exa%6dple.com",
  "alice@%65xample.com",
  "alice@[127.0.0.1]",
  "alice@[IPv6:::1]",
  "alice@127.0.0.1",
  "alice@0x7f.1",
  "alice@127.1",
  "alice@example.1",
  `alice@${long(64)}.com`,
  `${long(64)}@${domainOf(190)}`,
  `alice@${"a.".repeat(200)}com`,
  `${long(2000)}@example.com`,
  // Letters that fold into another person's address (CVE-2019-19844, V21).
  "m\u0131ke@example.com",
  "\u212aelvin@example.com",
  "\ufb01ona@example.com",
  "\uff41lice@example.com",
  "\u0130van@example.com",
  "\u017fam@example.com",
  "mike@\u0131cloud.com",
  "mike@\u212a.example",
  "mike@\ufb01.example",
  "mike@\uff45xample.com",
  "mike@\u0130.example",
  "mike@example\u3002com",
  "mike@exa\u00admple.com",
  "mike@exa\u200bmple.com",
  "mike@exa\u200dmple.com",
  "mike@straße.example",
  "mike@xn--strae-oqa.example",
  "mike@xn--cloud-p4a.com",
  "mike@bu\u0308cher.example",
  "mike@BÜCHER.example",
  "alice@example\uff0ecom",
  // Malformed A-labels, lone surrogates.
  "alice@xn--a.example",
  "alice@xn--zz--.example",
  "alice@xn--.example",
  "alice@b\ud800.example",
  "\ud800@example.com",
];

describe("parseEmailAddress", () => {
  for (const [typed, canonical] of accepted) {
    it(`accepts ${JSON.stringify(typed.slice(0, 80))}`, () => {
      assert.deepEqual(parseEmailAddress(typed), { typed: typed.trim(), canonical });
    });
  }

  // Requirement 20, V21, V22
  for (const typed of refused) {
    it(`refuses ${JSON.stringify(typed.slice(0, 80))}`, () => {
      assert.equal(parseEmailAddress(typed), undefined);
    });
  }

  it("counts the limits of the tables as RFC 5321 does", () => {
    assert.equal(`${long(64)}@${domainOf(189)}`.length, 254);
    assert.equal(`${long(64)}@${domainOf(190)}`.length, 255);
  });

  // Requirement 20
  it("makes canonical forms that are ASCII, in lower case, and canonical already", () => {
    const text = fc.string({
      unit: fc.constantFrom(..."aZ0.-+\u0131\u212a\ufb01ßς\u0130éüµŉ\u3002Ω例я"),
      minLength: 1,
      maxLength: 12,
    });
    let parsedCount = 0;
    const property = fc.property(text, text, (localPart, label) => {
      const address = parseEmailAddress(`${localPart}@${label}.example`);
      if (address === undefined) return;
      parsedCount += 1;
      assert.match(address.canonical, /^[\x21-\x40\x5b-\x7e]+$/);
      assert.equal(parseEmailAddress(address.canonical)?.canonical, address.canonical);
    });
    fc.assert(property, { numRuns: 2000, seed: 20 });
    assert.ok(parsedCount > 0);
  });

  // V21: no two letters of Unicode other than A-Z/a-z give the same address.
  it("never takes a letter beyond ASCII for one of ASCII", () => {
    const ascii = new Set([..."abcdefghijklmnopqrstuvwxyz0123456789-."].map((letter) => `x${letter}x.example`));
    for (let codePoint = 0x80; codePoint < 0x30000; codePoint += 1) {
      const letter = String.fromCodePoint(codePoint);
      assert.equal(parseEmailAddress(`a${letter}@example.com`), undefined);
      const address = parseEmailAddress(`a@x${letter}x.example`);
      if (address !== undefined) assert.ok(!ascii.has(address.canonical.slice(2)), `U+${codePoint.toString(16)}`);
    }
  });
});

describe('format "email"', () => {
  it("is this check in every schema", () => {
    const schema = Compile(Type.String({ format: "email" }));
    assert.equal(schema.Check("alice@example.com"), true);
    assert.equal(schema.Check("alice@bücher.example"), true);
    assert.equal(schema.Check('"alice"@example.com'), false);
    assert.equal(schema.Check("alice@localhost"), false);
  });
});
