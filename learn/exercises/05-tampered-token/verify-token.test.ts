import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { test } from "node:test";
import { signToken, verifyToken, type Claims } from "./verify-token.ts";

const secret = "a secret of this test";
const now = 1_800_000_000;
const claims = { sub: "2", exp: now + 900 };
const good = signToken(claims, secret);

function part(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}

/** A token with a true signature over whatever it says. */
function forge(header: unknown, payload: unknown, hash = "sha256"): string {
  const input = `${part(header)}.${part(payload)}`;
  return `${input}.${createHmac(hash, secret).update(input).digest("base64url")}`;
}

function verify(token: string, at = now): Claims | undefined {
  try {
    return verifyToken(token, secret, at);
  } catch (error) {
    assert.fail(
      `verifyToken threw (${String(error)}) for ${JSON.stringify(token)}. Anybody can send anything: return undefined.`,
    );
  }
}

function refuse(token: string, why: string): void {
  assert.equal(verify(token), undefined, why);
}

test("a good token is believed", () => {
  assert.equal(verify(good)?.sub, "2", "This token was signed with the secret a moment ago, and was refused.");
});

test("the token does not choose its algorithm", () => {
  const claimsOfAnybody = part({ sub: "1", exp: now + 900 });
  for (const alg of ["none", "None", "NONE", "nOnE", ""]) {
    const why = `A token without a signature was believed, because its header says alg "${alg}": anybody can be anybody.`;
    refuse(`${part({ alg })}.${claimsOfAnybody}.`, why);
  }
  refuse(forge({ alg: "HS512" }, claims, "sha512"), "A token of HS512 was believed. Only HS256 is ours.");
  refuse(forge({ alg: "none" }, claims), 'A header with alg "none" was believed, because its signature fits HS256.');
  refuse(forge({}, claims), "A header without alg was believed.");
});

test("claims cannot be changed", () => {
  const [header = "", , signature = ""] = good.split(".");
  refuse(
    `${header}.${part({ ...claims, sub: "1" })}.${signature}`,
    "The claims were changed, and the token was believed.",
  );
});

test("a signature is whole and the right one", () => {
  const [header = "", payload = "", signature = ""] = good.split(".");
  refuse(`${header}.${payload}.${signature.slice(0, 20)}`, "Half of a signature was enough.");
  refuse(`${header}.${payload}.`, "No signature at all was enough.");
  refuse(signToken(claims, "another secret"), "A token that was signed with another secret was believed.");
});

test("a token ends at its exp", () => {
  const end = claims.exp;
  assert.equal(verify(good, end - 1)?.sub, "2", "The token was refused a second before its exp.");
  const why = "A lost token must be worth nothing soon, so its time is checked each time.";
  assert.equal(verify(good, end), undefined, `The token was believed at its exp. ${why}`);
  assert.equal(verify(good, end + 86_400), undefined, `The token was believed a day after its exp. ${why}`);
});

test("a token without an end is none", () => {
  refuse(forge({ alg: "HS256" }, { sub: "2" }), "A token without exp was believed: it would be good for ever.");
  refuse(forge({ alg: "HS256" }, { sub: "2", exp: "never" }), "A token whose exp is a text was believed.");
});

test("whatever is sent, the answer is undefined", () => {
  const [header = "", payload = "", signature = ""] = good.split(".");
  const strange = [
    "",
    ".",
    "..",
    "...",
    "a.b.c",
    "token",
    `${header}.${payload}`,
    `${good}.${signature}`,
    `${part(null)}.${payload}.${signature}`,
  ];
  for (const token of strange) refuse(token, `${JSON.stringify(token)} is no token, and was believed.`);
  refuse(forge({ alg: "HS256" }, null), "Claims that are null were believed.");
});
