import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { isHashable, isPasswordTooLong, normalisePassword, passwordBytes, passwordBytesMax } from "./password-text.ts";

describe("normalisePassword", () => {
  // RFC 8265 §4.2.2 (requirement 5)
  it("composes, and keeps what only looks alike apart", () => {
    assert.equal(normalisePassword("cafe\u0301"), "caf\u00e9");
    for (const password of ["\ufb01", "\uff21", "\u2460", "ß", "İ"])
      assert.equal(normalisePassword(password), password);
  });

  it("reads every space that is not ASCII as one that is", () => {
    for (const space of "\u00a0\u1680\u2000\u2001\u2009\u202f\u205f\u3000") {
      assert.equal(normalisePassword(`a${space}b`), "a b");
    }
  });

  // ASVS 6.2.8 (requirement 3)
  it("keeps case, spaces at the ends, tabs, line ends and NUL", () => {
    for (const password of [" a ", "Aa", "a\0b", "\ta\r\n", "a\u200b"])
      assert.equal(normalisePassword(password), password);
  });

  it("changes nothing the second time", () => {
    const text = fc.string({ unit: "grapheme" });
    fc.assert(fc.property(text, (it) => normalisePassword(normalisePassword(it)) === normalisePassword(it)));
  });
});

describe("what may be hashed", () => {
  // ASVS 6.2.9 (requirement 2)
  it("is 1,024 bytes after normalisation, not before", () => {
    assert.equal(passwordBytesMax, 1024);
    assert.equal(passwordBytes("é".repeat(512)).byteLength, 1024);
    assert.equal(passwordBytes("e\u0301".repeat(512)).byteLength, 1024);
    assert.equal(passwordBytes("\u03b1\u0313\u0301\u0345".repeat(341)).byteLength, 1023);
    for (const password of [
      "x".repeat(1025),
      "é".repeat(513),
      "\u03b1\u0313\u0301\u0345".repeat(342),
      "x".repeat(2 ** 20),
    ]) {
      assert.equal(isPasswordTooLong(password), true);
      assert.equal(isHashable(password), false);
      assert.throws(() => passwordBytes(password), RangeError);
    }
  });

  it("is well-formed: lone surrogates would all become the same bytes", () => {
    assert.equal(isHashable("x\ud800"), false);
    assert.equal(isPasswordTooLong("x\ud800"), false);
    assert.throws(() => passwordBytes("x\ud800"), RangeError);
    assert.equal(isHashable("x\u{1f989}"), true);
  });

  it("lies in a buffer of its own, so that no other bytes travel to the thread", () => {
    assert.equal(passwordBytes("owls").buffer.byteLength, 4);
  });
});
