import assert from "node:assert/strict";
import { test } from "node:test";
import { isStrictCompactJws } from "./jwt-format.ts";

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const good = "eyJhIjoxfQ.eyJiIjoyfQ.c2lnbmF0dXJl";

/** What makes a part the only text of its bytes. */
function isCanonical(part: string): boolean {
  return Buffer.from(part, "base64url").toString("base64url") === part;
}

test("three parts of base64url pass, up to 8 KiB", () => {
  for (const text of [good, "AA.AA.AA", "AAA.AAA.AAA", "_-_-.-_-_.____", `${"A".repeat(8192 - 6)}.AA.AA`]) {
    assert.equal(isStrictCompactJws(text), true, text.slice(0, 60));
  }
});

test("anything else does not", () => {
  // RFC 7515 §7.1 and §2, RFC 8725 §3.11 (requirement 43), V26
  const [header, payload, signature] = good.split(".");
  const refused = [
    "",
    ".",
    "..",
    "...",
    "AA",
    "AA.AA",
    `${header}.${payload}`,
    `${header}.${payload}.`, // Unsecured: no signature.
    `.${payload}.${signature}`,
    `${header}..${signature}`, // Detached content (RFC 7515, appendix F).
    `${header}..${payload}.${signature}`,
    `${good}.`,
    `.${good}`,
    `${good}.${good}`,
    `${header}.${payload}.${signature}.AAAA`,
    `${header}.AAAA.AAAA.${payload}.${signature}`, // JWE (RFC 7516 §7.1).
    ...[" ", "\t", "\n", "\r\n", "\0", "\u00A0", "\u2028", "\uFEFF"].flatMap((blank) => [
      `${blank}${good}`,
      `${good}${blank}`,
      `${header}${blank}.${payload}.${signature}`,
      `${header}.${blank}${payload}.${signature}`,
    ]),
    `${header}==.${payload}.${signature}`,
    `${header}.${payload}==.${signature}`,
    `${header}.${payload}.${signature}=`,
    `${header}.${payload}.c2ln+mF0`, // base64, not base64url
    `${header}.${payload}.c2ln/mF0`,
    `${header}.${payload}.c2lné`,
    `${header}.${payload}.c2lnｍ`, // Full width.
    `${header}%2E${payload}%2E${signature}`,
    `${header}.${payload}.A`, // No number of bytes has this length.
    `${header}.${payload}.AAAAA`,
    JSON.stringify({ payload, protected: header, signature }), // RFC 7515 §7.2.2
    JSON.stringify({ payload, signatures: [{ protected: header, signature }] }),
    `Bearer ${good}`,
    `${"A".repeat(8193 - 6)}.AA.AA`,
    "A".repeat(8192),
    "A.".repeat(4096),
  ];
  for (const text of refused) assert.equal(isStrictCompactJws(text), false, JSON.stringify(text.slice(0, 80)));
});

test("a last character with bits left over is another text of the same bytes, and refused", () => {
  // RFC 4648 §3.5 (requirement 43)
  const characters = [...alphabet];
  const twos = characters.flatMap((first) => characters.map((last) => `${first}${last}`));
  for (const part of [...characters, ...twos, ...twos.map((two) => `A${two}`), ...twos.map((two) => `--${two}`)]) {
    const expected = isCanonical(part);
    assert.equal(isStrictCompactJws(`${part}.AAAA.AAAA`), expected, part);
    assert.equal(isStrictCompactJws(`AAAA.${part}.AAAA`), expected, part);
    assert.equal(isStrictCompactJws(`AAAA.AAAA.${part}`), expected, part);
  }
});

test("a megabyte of dots costs nothing", { timeout: 60_000 }, () => {
  // CVE-2025-30204, CVE-2024-28176 (requirement 44), V27. A look at each dot would take minutes.
  const dots = ".".repeat(1024 * 1024);
  for (let count = 0; count < 200_000; count += 1) assert.equal(isStrictCompactJws(dots), false);
});
