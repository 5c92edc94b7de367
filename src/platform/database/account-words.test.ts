import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { accountWords, compareCodePoints, firstWordWith, searchedWords } from "./account-words.ts";

const words = (email: string, name: string | null = null): string[] => accountWords({ email, display_name: name });

test("an account has the words that its address and its name begin anew with", () => {
  const cases: readonly [string, string | null, readonly string[]][] = [
    ["ada@example.com", null, ["ada@example.com", "example.com"]],
    [
      "Ada.Lovelace+x@mail.example.com",
      null,
      [
        "ada.lovelace+x@mail.example.com",
        "lovelace+x@mail.example.com",
        "x@mail.example.com",
        "mail.example.com",
        "example.com",
      ],
    ],
    ["root@localhost", null, ["root@localhost", "localhost"]],
    ["a.b@localhost", null, ["a.b@localhost", "b@localhost", "localhost"]],
    ["a@b.example", "Zoë  O'Brien-Smith", ["a@b.example", "b.example", "zoe", "o'brien-smith", "brien-smith", "smith"]],
    ["a@b.example", "100% Alice_", ["a@b.example", "b.example", "100%", "alice_"]],
    ["a@b.example", "山田 太郎", ["a@b.example", "b.example", "山田", "田", "太郎", "郎"]],
    ["a@b.example", "ＡＢＣ", ["a@b.example", "b.example", "abc"]],
    ["a@b.example", "…!", ["a@b.example", "b.example"]],
  ];
  for (const [email, name, expected] of cases) assert.deepEqual(words(email, name), expected, `${email} ${name}`);
});

test("what is searched begins a word, whatever its case, accents and signs before it", () => {
  assert.deepEqual(searchedWords("  ADA@ Zoë ada@ "), ["ada@", "zoe"]);
  assert.deepEqual(searchedWords("@example.com (smith"), ["example.com", "smith"]);
  assert.deepEqual(searchedWords(" % _ "), []);
  assert.deepEqual(searchedWords("a\u0000b"), ["ab"]);
});

test("however much somebody writes into a name, the words are few and short, and whole characters", () => {
  const property = fc.property(fc.emailAddress(), fc.string({ unit: "binary", maxLength: 400 }), (email, name) => {
    const all = words(email, name);
    assert.ok(all.length <= 32);
    for (const word of all) {
      assert.ok([...word].length <= 64);
      assert.ok(word.isWellFormed() || !name.isWellFormed());
      const [searched] = searchedWords(word);
      assert.ok(searched !== undefined && word.startsWith(searched), `${word} is found by itself`);
    }
  });
  fc.assert(property);
});

test("the order is the database's", () => {
  // U+FF5A is before U+1D400 as UTF-8 and after it as UTF-16.
  assert.ok(compareCodePoints("\uFF5A", "\u{1D400}") < 0);
  assert.equal(firstWordWith("a", ["ab", "b", "aa"]), "aa");
  assert.equal(firstWordWith("x", ["ab"]), undefined);
});
