import assert from "node:assert/strict";
import { createPublicKey, verify } from "node:crypto";
import { test } from "node:test";
import Type from "typebox";
import { Value } from "typebox/value";
import { createTokenForge, issuer, makeSigningKey, sessionId, signBytes } from "../../../test/support/token-forge.ts";

const alice = { accountId: 2, sessionId, role: "user" } as const;
const expired = { refused: "expired" } as const;
const invalid = { refused: "invalid" } as const;

function decoded(token: string, part: 0 | 1): unknown {
  return JSON.parse(Buffer.from(token.split(".")[part] ?? "", "base64url").toString());
}

test("a token has the header and the claims that RFC 9068 asks for, a thousand times", async () => {
  // RFC 9068 §2.1 and §2.2 (requirements 39, 40)
  const forge = createTokenForge();
  const now = forge.now();
  const claims = Type.Object(
    {
      iss: Type.Literal(issuer),
      aud: Type.Literal(issuer),
      sub: Type.Literal("2"),
      sid: Type.Literal(sessionId),
      jti: Type.String({ pattern: "^[A-Za-z0-9_-]{22}$" }), // 128 bits.
      iat: Type.Literal(now),
      exp: Type.Literal(now + 900),
      client_id: Type.Literal("tollgate"),
      role: Type.Literal("user"),
    },
    { additionalProperties: false },
  );
  const ids = new Set<unknown>();
  for (let count = 0; count < 1000; count += 1) {
    const { token, expiresInSeconds } = await forge.tokens.issue(alice);
    assert.equal(expiresInSeconds, 900);
    assert.equal(
      Buffer.from(token.split(".")[0] ?? "", "base64url").toString(),
      `{"alg":"ES256","kid":"${forge.key.id}","typ":"at+jwt"}`,
    );
    const payload = decoded(token, 1);
    assert.ok(Value.Check(claims, payload), JSON.stringify([...Value.Errors(claims, payload)]));
    ids.add(payload.jti);
  }
  assert.equal(ids.size, 1000, "no jti stands twice");
});

test("what we issue verifies here and with another implementation", async () => {
  for (const algorithm of ["ES256", "EdDSA", "HS256"] as const) {
    const forge = createTokenForge(algorithm);
    const { token } = await forge.tokens.issue(alice);
    const now = forge.now();
    const claims = { accountId: 2, sessionId, issuedAt: now, expiresAt: now + 900 };
    assert.deepEqual(await forge.tokens.verify(token), claims);
    assert.deepEqual(forge.seen, [forge.key.id]);
    const dot = token.lastIndexOf(".");
    const [text, signature] = [token.slice(0, dot), Buffer.from(token.slice(dot + 1), "base64url")];
    if (algorithm === "HS256") {
      assert.deepEqual(signature, signBytes(algorithm, forge.key.privateKey, text));
    } else {
      const key = { key: createPublicKey(forge.key.privateKey), dsaEncoding: "ieee-p1363" } as const;
      assert.ok(verify(algorithm === "ES256" ? "sha256" : null, Buffer.from(text), key, signature), algorithm);
    }
  }
});

test("times are kept to the second, with 60 of skew for iat and nbf and none for exp", async () => {
  // RFC 7519 §4.1.4 to §4.1.6, ASVS 9.2.1 (requirement 42), I5
  const forge = createTokenForge();
  const now = forge.now();
  const table: readonly (readonly [changes: Record<string, number>, outcome: "good" | "expired" | "invalid"])[] = [
    [{ iat: now - 61 }, "good"],
    [{ iat: now - 60 }, "good"],
    [{ iat: now + 60 }, "good"],
    [{ iat: now + 61 }, "invalid"],
    [{ iat: now + 61, exp: now + 100 }, "invalid"],
    [{ nbf: 0 }, "good"],
    [{ nbf: now - 61 }, "good"],
    [{ nbf: now - 60 }, "good"],
    [{ nbf: now + 60 }, "good"],
    [{ nbf: now + 61 }, "invalid"],
    [{ iat: now - 900, exp: now + 61 }, "good"],
    [{ iat: now - 900, exp: now + 60 }, "good"],
    [{ iat: now - 900, exp: now + 1 }, "good"],
    [{ iat: now - 900, exp: now }, "expired"],
    [{ iat: now - 900, exp: now - 1 }, "expired"],
    [{ iat: now - 900, exp: now - 60 }, "expired"],
    [{ iat: now - 900, exp: now - 61 }, "expired"],
    [{ iat: now, exp: now + 3600 }, "good"],
    [{ iat: now, exp: now + 3601 }, "invalid"],
    [{ iat: 0, exp: 1 }, "expired"],
    [{ iat: 0, exp: now + 60 }, "invalid"],
  ];
  for (const [changes, outcome] of table) {
    const answer = await forge.tokens.verify(forge.sign(forge.header(), forge.claims(changes)));
    assert.equal("refused" in answer ? answer.refused : "good", outcome, JSON.stringify(changes));
  }
});

test("a token that is tampered with is invalid also when it has expired", async () => {
  const forge = createTokenForge();
  const { token } = await forge.tokens.issue(alice);
  const other = makeSigningKey("ES256", forge.key.id);
  const forged = createTokenForge().sign(forge.header(), forge.claims());
  forge.clock.advance(900_000);
  assert.deepEqual(await forge.tokens.verify(token), expired);
  const [header, , signature] = token.split(".");
  const payload = Buffer.from(JSON.stringify(forge.claims({ sub: "1" }))).toString("base64url");
  assert.deepEqual(await forge.tokens.verify(`${header}.${payload}.${signature}`), invalid);
  assert.deepEqual(await forge.tokens.verify(forged), invalid);
  forge.ring.splice(0, 1, other);
  assert.deepEqual(await forge.tokens.verify(token), invalid, "the key of this name is another one now");
});

test("a signature is checked once, the clock on every call", async () => {
  // I5
  const forge = createTokenForge();
  const { token } = await forge.tokens.issue(alice);
  const answers = [await forge.tokens.verify(token)];
  forge.clock.advance(899_999);
  answers.push(await forge.tokens.verify(token));
  assert.ok(answers.every((answer) => "accountId" in answer));
  assert.equal(forge.signatureChecks(), 1);
  forge.clock.advance(1);
  assert.deepEqual(await forge.tokens.verify(token), expired, "at exp, not a moment later");
  forge.clock.jump(-900_000 - 60_000);
  assert.ok("accountId" in (await forge.tokens.verify(token)), "the clock was set back by the skew we allow");
  forge.clock.jump(-1);
  assert.deepEqual(await forge.tokens.verify(token), invalid, "and by more");
  assert.equal(forge.signatureChecks(), 1);
  assert.deepEqual(forge.seen, Array(5).fill(forge.key.id));
});

test("a key that leaves the ring takes its tokens along; one that comes back finds them", async () => {
  const forge = createTokenForge();
  const { token } = await forge.tokens.issue(alice);
  await forge.tokens.verify(token);
  const [key] = forge.ring.splice(0, 1);
  assert.ok(key);
  assert.deepEqual(await forge.tokens.verify(token), invalid);
  forge.ring.push(makeSigningKey("ES256", key.id));
  assert.deepEqual(await forge.tokens.verify(token), invalid, "the same name is not the same key");
  forge.ring.splice(0, 1, key);
  assert.ok("accountId" in (await forge.tokens.verify(token)));
});

test("what is refused is not remembered", async () => {
  const forge = createTokenForge();
  const forged = createTokenForge().sign(forge.header(), forge.claims());
  const tooEarly = forge.sign(forge.header(), forge.claims({ iat: forge.now() + 61 }));
  for (const token of [forged, forged, tooEarly, tooEarly]) assert.deepEqual(await forge.tokens.verify(token), invalid);
  assert.equal(forge.signatureChecks(), 4);
  forge.clock.advance(1000);
  assert.ok("accountId" in (await forge.tokens.verify(tooEarly)), "its time has come");
});

test("10,000 tokens are remembered, and the oldest is forgotten first", async () => {
  const forge = createTokenForge("HS256");
  const tokens = Array.from({ length: 10_001 }, (_, index) => {
    return forge.sign(forge.header(), forge.claims({ sub: String(index + 1) }));
  });
  for (const token of tokens) await forge.tokens.verify(token);
  assert.equal(forge.signatureChecks(), 10_001);
  for (const token of tokens.slice(1)) await forge.tokens.verify(token);
  assert.equal(forge.signatureChecks(), 10_001, "all but the first are remembered");
  const [first = "", second = "", third = ""] = tokens;
  assert.ok("accountId" in (await forge.tokens.verify(first)));
  assert.equal(forge.signatureChecks(), 10_002, "the first was forgotten");
  await forge.tokens.verify(third);
  assert.equal(forge.signatureChecks(), 10_002);
  await forge.tokens.verify(second);
  assert.equal(forge.signatureChecks(), 10_003, "the second made room for it");
});

test("each remembered token gives its own claims, also when many are verified at once", async () => {
  const forge = createTokenForge();
  const tokens = await Promise.all(
    Array.from({ length: 50 }, async (_, index) => {
      const { token } = await forge.tokens.issue({ ...alice, accountId: index + 1 });
      return token;
    }),
  );
  for (let round = 0; round < 2; round += 1) {
    const answers = await Promise.all([...tokens, ...tokens].map(async (token) => forge.tokens.verify(token)));
    const ids = answers.map((answer) => ("accountId" in answer ? answer.accountId : undefined));
    assert.deepEqual(
      ids,
      [...tokens, ...tokens].map((_, index) => (index % 50) + 1),
    );
  }
});
