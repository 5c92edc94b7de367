import assert from "node:assert/strict";
import { test } from "node:test";
import { readToken, writeToken } from "./jwt-parts.ts";

const header = { alg: "ES256", kid: "k1", typ: "at+jwt" };
const claims = { sub: "2", exp: 1_800_000_000, name: "Zoë 🙂" };

test("a token is taken apart and put together again", () => {
  const token = writeToken(header, claims, "c2ln");
  assert.deepEqual(readToken(` ${token}\n`), { header, claims, signature: "c2ln", encoded: token.split(".") });
  assert.doesNotMatch(token, /[=+/]/);
});

test("a token without an algorithm has no signature", () => {
  assert.match(writeToken({ ...header, alg: "none" }, claims, "c2ln"), /^[\w-]+\.[\w-]+\.$/);
});

test("what is no token is none", () => {
  for (const text of ["", "a", "a.b", "a.b.c", "a.b.c.d", "W10.W10.", `${btoa("[]")}.${btoa("{}")}.x`, "!!.!!.!!"]) {
    assert.equal(readToken(text), undefined, text);
  }
});
