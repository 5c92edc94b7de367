/**
 * By which words an account is found: pure text, the same for those that are kept and those that are looked for.
 *
 * A word is the rest of the text from where a word begins, so that its beginning finds it: `ada.lovelace@example.com`
 * has `ada.lovelace@example.com`, `lovelace@example.com` and `example.com`. Letters are compared without case, accents
 * and width.
 */
export type SearchedAccount = { readonly email: string; readonly display_name: string | null };

const wordLengthMax = 64;
const wordsMax = 32;

export function accountWords({ email, display_name: displayName }: SearchedAccount): string[] {
  const address = plainText(email);
  const lastLabel = address.lastIndexOf(".");
  const isDomainOfOneLabel = lastLabel < address.indexOf("@");
  // The last label alone, as com, would find nearly everybody.
  const ofAddress = wordsOf(address).filter(({ at }) => isDomainOfOneLabel || at < lastLabel);
  const ofName = Iterator.from(plainText(displayName ?? "").split(/\s+/)).flatMap(wordsOf);
  const found = [...ofAddress.take(wordsMax / 2), ...ofName.take(wordsMax / 2)];
  return [...new Set(found.map(({ word }) => word))];
}

/** What a searched text asks for: each must begin a word of the account. Empty when nothing can be found by it. */
export function searchedWords(text: string): string[] {
  const parts = plainText(text).split(/\s+/);
  const words = parts.map((part) => cut(part.replace(/^[^\p{L}\p{N}]+/u, ""))).filter((word) => word !== "");
  return [...new Set(words)];
}

/** The first of the account's words that begins with this one, in the database's order: that of the code points. */
export function firstWordWith(beginning: string, words: readonly string[]): string | undefined {
  return words.filter((word) => word.startsWith(beginning)).toSorted(compareCodePoints)[0];
}

/** The order of UTF-8 bytes, which JavaScript's own comparison is not beyond U+D7FF. */
export function compareCodePoints(one: string, other: string): number {
  return Buffer.compare(Buffer.from(one), Buffer.from(other));
}

function plainText(text: string): string {
  return text
    .normalize("NFKD")
    .replaceAll(/[\u0300-\u036F\p{Cc}]/gu, "")
    .toLowerCase()
    .trim();
}

/** A word begins with a letter or digit that follows none; where words are written without spaces, with each. */
const beginnings = /(?<![\p{L}\p{N}])[\p{L}\p{N}]|[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]/gu;

function wordsOf(text: string): IteratorObject<{ word: string; at: number }> {
  return text.matchAll(beginnings).map(({ index }) => ({ word: cut(text.slice(index)), at: index }));
}

/** No longer than an index likes it, and never in the middle of a character. */
function cut(text: string): string {
  return [...Iterator.from(text).take(wordLengthMax)].join("");
}
