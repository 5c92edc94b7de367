/**
 * What is not an access token of ours, from RFC 7515, 7519, 8725 and 9068, and the CVEs of others.
 *
 * Where it can be, the signature is the true one of our key over just these bytes, so that only the fault named is one.
 */
import assert from "node:assert/strict";
import { createHmac, createPublicKey, generateKeyPairSync, sign } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { after, test } from "node:test";
import { CompactEncrypt } from "jose";
import {
  base64url,
  createTokenForge,
  issuer,
  makeSigningKey,
  signBytes,
  signingInput,
  type TokenForge,
} from "../../../test/support/token-forge.ts";

const forge = createTokenForge();
const good = forge.sign(forge.header(), forge.claims());
const [goodHeader = "", goodPayload = "", goodSignature = ""] = good.split(".");

type Case = readonly [name: string, token: string];

/** Each refused as invalid, without a genuine token seen. */
async function assertRefused(cases: readonly Case[], by: TokenForge = forge): Promise<void> {
  assert.equal(new Set(cases.map(([name]) => name)).size, cases.length, "each case has a name of its own");
  by.seen.length = 0;
  for (const [name, token] of cases) assert.deepEqual(await by.tokens.verify(token), { refused: "invalid" }, name);
  assert.deepEqual(by.seen, []);
}

function withHeader(changes: Readonly<Record<string, unknown>>): Case {
  return [`header ${JSON.stringify(changes)}`, forge.sign(forge.header(changes), forge.claims())];
}

function withClaims(changes: Readonly<Record<string, unknown>>, by: TokenForge = forge): Case {
  const name = Object.entries(changes).map(([claim, value]) => `${claim} ${JSON.stringify(value) ?? "missing"}`);
  return [`claim ${name.join(", ").slice(0, 100)}`, by.sign(by.header(), by.claims(changes))];
}

test("the token that all others differ from is good", async () => {
  assert.deepEqual(await forge.tokens.verify(good), {
    accountId: 2,
    sessionId: forge.claims()["sid"],
    issuedAt: forge.now(),
    expiresAt: forge.now() + 900,
  });
  assert.deepEqual(forge.seen, [forge.key.id]);
});

test("the algorithm is the key's, to the letter", async () => {
  // RFC 8725 §3.1, ASVS 9.1.2 (requirements 36, 37), V26, CVE-2022-23540
  const others = ["none", "None", "NONE", "nOnE", "es256", "Es256", " ES256", "ES256 ", "ES256\0", "ES256K"];
  const wrong = ["ES384", "ES512", "RS256", "PS256", "EdDSA", "Ed25519", "HS256", "HS384", "HS512", "RSA-OAEP", "dir"];
  const types = [undefined, null, "", 256, true, ["ES256"], { name: "ES256" }];
  await assertRefused([...others, ...wrong, ...types].map((alg) => withHeader({ alg })));
  await assertRefused(
    ["none", "NONE", "nOnE"].flatMap((alg): Case[] => {
      const input = signingInput(forge.header({ alg }), forge.claims());
      return [
        [`${alg} without a signature`, `${input}.`],
        [`${alg} with some signature`, `${input}.${goodSignature}`],
      ];
    }),
  );
});

test("a public key is not a shared secret", async () => {
  // RFC 8725 §2.1 (requirement 36), V26, CVE-2026-34950
  const publicKey = createPublicKey(forge.key.privateKey);
  const pem = publicKey.export({ format: "pem", type: "spki" }).toString();
  const jwk = publicKey.export({ format: "jwk" });
  const secrets: readonly (readonly [string, string | Buffer])[] = [
    ["PEM", pem],
    ["PEM after a line break", `\n${pem}`],
    ["PEM after spaces", `   ${pem}`],
    ["PEM without its last line break", pem.trimEnd()],
    ["PEM with CRLF", pem.replaceAll("\n", "\r\n")],
    ["base64 of the PEM", pem.split("\n").slice(1, -2).join("")],
    ["DER", publicKey.export({ format: "der", type: "spki" })],
    ["JWK", JSON.stringify(jwk)],
    ["JWK as published", JSON.stringify({ ...jwk, kid: forge.key.id, use: "sig", alg: "ES256" })],
    ["point", Buffer.concat([Buffer.of(4), Buffer.from(`${jwk.x}${jwk.y}`, "base64url")])],
    ["nothing", ""],
    ["kid", forge.key.id],
  ];
  await assertRefused(
    secrets.flatMap(([name, secret]) =>
      ["HS256", "ES256"].map((alg): Case => {
        const input = signingInput(forge.header({ alg }), forge.claims());
        return [`${name}, ${alg}`, `${input}.${createHmac("sha256", secret).update(input).digest("base64url")}`];
      }),
    ),
  );
});

test("a key of another kind does not verify, whatever the header says", async () => {
  // RFC 8725 §3.1 and §3.5 (requirement 37), CVE-2022-21449
  const input = signingInput(forge.header(), forge.claims());
  const pairs = {
    "another P-256 key": makeSigningKey("ES256", "other").privateKey,
    "P-384": generateKeyPairSync("ec", { namedCurve: "P-384" }).privateKey,
    secp256k1: generateKeyPairSync("ec", { namedCurve: "secp256k1" }).privateKey,
    RSA: generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey,
  };
  const der = sign("sha256", Buffer.from(input), forge.key.privateKey);
  const order = Buffer.from("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551", "hex");
  const raw = Buffer.from(goodSignature, "base64url");
  const signatures: readonly (readonly [string, Buffer])[] = [
    ...Object.entries(pairs).map(([name, key]) => {
      return [name, sign("sha256", Buffer.from(input), { key, dsaEncoding: "ieee-p1363" })] as const;
    }),
    ["Ed25519", signBytes("EdDSA", makeSigningKey("EdDSA", "other").privateKey, input)],
    ["DER", der],
    ["zeros", Buffer.alloc(64)], // "Psychic signatures".
    ["r = s = n", Buffer.concat([order, order])],
    ["all ones", Buffer.alloc(64, 255)],
    ["r and s changed about", Buffer.concat([raw.subarray(32), raw.subarray(0, 32)])],
    ["cut by one byte", raw.subarray(0, 63)],
    ["longer by one byte", Buffer.concat([raw, Buffer.of(0)])],
    ["one byte", Buffer.of(0)],
  ];
  await assertRefused(signatures.map(([name, bytes]) => [name, `${input}.${base64url(bytes)}`]));
});

test("a header has our three members and no other; nothing that it names is fetched", async () => {
  // RFC 8725 §3.10, RFC 7515 §4.1.11, RFC 7797, ASVS 9.1.3 (requirements 38, 44), CVE-2022-36083
  let hits = 0;
  const attacker = makeSigningKey("ES256", "attacker");
  const jwk = { ...createPublicKey(attacker.privateKey).export({ format: "jwk" }), kid: attacker.id, alg: "ES256" };
  const canary = createServer((_request, response) => {
    hits += 1;
    response.setHeader("content-type", "application/json").end(JSON.stringify({ keys: [jwk] }));
  });
  await new Promise<void>((resolve) => canary.listen(0, "127.0.0.1", resolve));
  after(() => canary.close());
  const url = `http://127.0.0.1:${(canary.address() as AddressInfo).port}/jwks.json`;
  const members: readonly Readonly<Record<string, unknown>>[] = [
    { jku: url },
    { x5u: url },
    { jwk },
    { x5c: ["MIIB"] },
    { x5t: "AAAA" },
    { "x5t#S256": "AAAA" },
    { cty: "JWT" },
    { crit: ["exp"], exp: 1 },
    { crit: [] },
    { crit: ["b64"], b64: false },
    { b64: true },
    { b64: false },
    { zip: "DEF" },
    { enc: "A256GCM" },
    { p2c: 1_000_000_000, p2s: "AAAA" },
    { epk: jwk },
    { iss: issuer },
    { nonce: "AAAA" },
    { "": "" },
    { constructor: "" },
  ];
  const byAttacker = members.flatMap((member) =>
    [forge.key.id, attacker.id, undefined].map((kid): Case => {
      const input = signingInput(forge.header({ ...member, kid }), forge.claims());
      const signature = base64url(signBytes("ES256", attacker.privateKey, input));
      return [`${JSON.stringify(member)}, signed by an attacker, kid ${kid}`, `${input}.${signature}`];
    }),
  );
  await assertRefused([...members.map(withHeader), ...byAttacker]);
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(hits, 0);
});

test("a kid is only looked up among our keys", async () => {
  // ASVS 9.1.3 (requirement 38)
  const kids = ["../../", "../../../../dev/null", "' OR 1=1--", "x' UNION SELECT 'AAAA", "|id", "https://a.test/key"];
  const names = ["__proto__", "constructor", "toString", "length", "0", "", " ", "\0", `${forge.key.id} `, "é", "😀"];
  const types = [undefined, null, 0, 1.5, true, [forge.key.id], { kid: forge.key.id }, "k".repeat(5000)];
  await assertRefused([...kids, ...names, ...types].map((kid) => withHeader({ kid })));
});

test("another kind of JWT is not an access token", async () => {
  // RFC 9068 §2.1 and §4, RFC 8725 §3.11, ASVS 9.2.2 (requirement 39)
  const kinds = ["JWT", "jwt", "JOSE", "JOSE+JSON", "id+jwt", "logout+jwt", "dpop+jwt", "secevent+jwt", "refresh+jwt"];
  const spellings = ["AT+JWT", "at+JWT", "at+jwt ", " at+jwt", "at+jwt\0", "at+jwt;v=1", "text/at+jwt", "at jwt", "at"];
  const types = [undefined, null, "", 1, ["at+jwt"], {}];
  await assertRefused([...kinds, ...spellings, ...types].map((typ) => withHeader({ typ })));
  const typ = "application/at+jwt"; // The long form is the same kind.
  assert.ok("accountId" in (await forge.tokens.verify(forge.sign(forge.header({ typ }), forge.claims()))));
});

test("a header that is not one JSON object with each member once", async () => {
  // RFC 7515 §4, RFC 8725 §3.7
  const text = JSON.stringify(forge.header());
  const inner = text.slice(1, -1);
  const texts: Readonly<Record<string, string>> = {
    "alg twice": `{"alg":"none",${inner}}`,
    "alg twice, ours first": `{${inner},"alg":"ES256"}`,
    "kid twice": `{${inner},"kid":${JSON.stringify(forge.key.id)}}`,
    "kid twice, the first unknown": `{"kid":"other",${inner}}`,
    "typ twice": `{"typ":"JWT",${inner}}`,
    "alg once more, by escapes": `{"\\u0061lg":"none",${inner}}`,
    __proto__: `{${inner},"__proto__":{}}`,
    "empty object": "{}",
    array: `[${text}]`,
    string: JSON.stringify(text),
    number: "1",
    null: "null",
    "cut off": text.slice(0, -1),
    "two objects": `${text}${text}`,
    "a comma too many": `{${inner},}`,
    "single quotes": text.replaceAll('"', "'"),
    "a comment": `/**/${text}`,
    "byte order mark": `\uFEFF${text}`,
    "NUL after it": `${text}\0`,
    nested: "[".repeat(4000),
  };
  const latin1 = Buffer.concat([Buffer.from(`{${inner},"x":"`), Buffer.of(0xe9), Buffer.from('"}')]);
  const notUtf8 = `${base64url(latin1)}.${goodPayload}`;
  await assertRefused([
    ...Object.entries(texts).map(([name, header]): Case => [name, forge.sign(header, forge.claims())]),
    ["not UTF-8", `${notUtf8}.${base64url(signBytes("ES256", forge.key.privateKey, notUtf8))}`],
  ]);
});

test("a text that is not a compact JWS, or not the only one of its bytes", async () => {
  // RFC 7515 §3 and §7, RFC 7516 §7.1, RFC 8725 §3.11 (requirements 43, 44), V27
  const jwe = await new CompactEncrypt(Buffer.from(good))
    .setProtectedHeader({ alg: "dir", enc: "A256GCM", kid: forge.key.id })
    .encrypt(new Uint8Array(32));
  const general = { payload: goodPayload, signatures: [{ protected: goodHeader, signature: goodSignature }] };
  // 64 bytes are 85 characters and 2 bits of an 86th: its other 4 bits must be zero.
  const tails = [..."BCDEFGHIJKLMNOP"].map((last): Case => [`tail ${last}`, `${good.slice(0, -1)}${last}`]);
  await assertRefused([
    ["empty", ""],
    ["no dots", good.replaceAll(".", "")],
    ["two parts", `${goodHeader}.${goodPayload}`],
    ["no signature", `${goodHeader}.${goodPayload}.`],
    ["no payload", `${goodHeader}..${goodSignature}`],
    ["no header", `.${goodPayload}.${goodSignature}`],
    ["two dots after the header", `${goodHeader}..${goodPayload}.${goodSignature}`],
    ["twice", `${good}.${good}`],
    ["dot at the end", `${good}.`],
    ["JWE", jwe],
    ["padding", `${good}==`],
    ["padded payload", `${goodHeader}.${goodPayload}=.${goodSignature}`],
    ["space before", ` ${good}`],
    ["space after", `${good} `],
    ["line break within", `${goodHeader}.\n${goodPayload}.${goodSignature}`],
    ["line break after", `${good}\n`],
    ["JSON, flattened", JSON.stringify({ payload: goodPayload, protected: goodHeader, signature: goodSignature })],
    ["JSON, general", JSON.stringify(general)],
    ["Bearer", `Bearer ${good}`],
    ["parts of another order", `${goodPayload}.${goodHeader}.${goodSignature}`],
    ["more than 8 KiB", forge.sign(forge.header(), forge.claims({ padding: "p".repeat(8192) }))],
    ["a megabyte of dots", ".".repeat(1024 * 1024)],
    ["a megabyte of As", "A".repeat(1024 * 1024)],
    ...tails.filter(([, token]) => token !== good),
  ]);
});

test("one changed character anywhere, and it is another token", async () => {
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  await forge.tokens.verify(good); // Remembered: the changed ones must not hit it.
  const changed = [...good].flatMap((character, index): Case[] => {
    const place = alphabet.indexOf(character);
    const others = character === "." ? ["A", "_"] : [alphabet[(place + 1) % 64], alphabet[(place + 32) % 64], "."];
    return others.map((other) => [`${other} at ${index}`, `${good.slice(0, index)}${other}${good.slice(index + 1)}`]);
  });
  await assertRefused(changed);
  assert.ok("accountId" in (await forge.tokens.verify(good)));
});

test("claims of other types, out of range, or missing", async () => {
  // RFC 7519 §4.1, RFC 9068 §2.2, ASVS 9.2.1 (requirements 40, 42)
  const now = forge.now();
  const subs = ["01", "0", "-1", "+1", "1.0", "1e3", " 2", "2 ", "0x2", "٢", "", "9007199254740992", "9".repeat(16)];
  const ids = [
    "",
    "short",
    "s".repeat(65),
    "' OR 1=1-- AAAAAAA",
    "sid with some spaces",
    "sid/with/slashes/in",
    "é".repeat(22),
  ];
  const times = [null, String(now + 60), now + 60.5, -1, -now, 1e308, -1e308, 2 ** 53, true, [now + 60], {}];
  const notText = [undefined, null, 2, true, ["2"], {}];
  const faults: readonly Readonly<Record<string, unknown>>[] = [
    ...[...subs, "9".repeat(400), ...notText].map((sub) => ({ sub })),
    ...[...ids, ...notText].flatMap((id) => [{ sid: id }, { jti: id }]),
    ...notText.map((role) => ({ role })),
    ...[...notText, "", "other", "Tollgate"].map((clientId) => ({ client_id: clientId })),
    ...[undefined, ...times].flatMap((time) => [{ iat: time }, { exp: time }]),
    ...times.map((nbf) => ({ nbf })),
    { iat: -20, exp: -10 },
    { iat: now, exp: now },
    { iat: now + 30, exp: now + 20 },
    { iat: now - 10, exp: now - 20 },
    { exp: now + 3601 },
    { exp: 2 ** 53 - 1 },
  ];
  await assertRefused(faults.map((fault) => withClaims(fault)));
});

test("issuer and audience are ours, exactly", async () => {
  // RFC 9068 §4, RFC 7519 §4.1.3, ASVS 9.2.3 and 9.2.4 (requirement 41)
  const others = [`${issuer}/`, issuer.toUpperCase(), `${issuer}.evil.test`, `${issuer} `, "https://other.test", ""];
  const types = [undefined, null, 1, true, {}];
  await assertRefused(
    [...others, ...types, [issuer], [issuer, "https://other.test"]].map((iss) => withClaims({ iss })),
  );
  const lists = [[], ["https://other.test"], [`${issuer}/`], [[issuer]], [issuer, 1], [null, issuer]];
  await assertRefused([...others, ...types, ...lists].map((aud) => withClaims({ aud })));
  for (const aud of [[issuer], ["https://other.test", issuer]]) {
    assert.ok("accountId" in (await forge.tokens.verify(forge.sign(forge.header(), forge.claims({ aud })))));
  }
});

test("a payload that is not one JSON object", async () => {
  // RFC 7519 §7.2
  const text = JSON.stringify(forge.claims());
  const withExp = (exp: string): string => text.replace(/"exp":\d+/, `"exp":${exp}`);
  const texts = ["", "null", "1", `[${text}]`, JSON.stringify(text), text.slice(0, -1), `${text}${text}`];
  const numbers = ["NaN", "Infinity", "-Infinity", "1e400", "1e309", "0x10", "08", ".5", "1_000"].map(withExp);
  const input = `${goodHeader}.${base64url(Buffer.concat([Buffer.from(text), Buffer.of(0xff)]))}`;
  const notUtf8 = `${input}.${base64url(signBytes("ES256", forge.key.privateKey, input))}`;
  await assertRefused([
    ...[...texts, ...numbers].map((payload, index): Case => [
      `${index}: ${payload}`,
      forge.sign(forge.header(), payload),
    ]),
    ["not UTF-8", notUtf8],
  ]);
});

for (const algorithm of ["HS256", "EdDSA"] as const) {
  test(`with ${algorithm} the key decides likewise`, async () => {
    // RFC 8725 §3.1 (requirements 36, 37)
    const other = createTokenForge(algorithm);
    const token = other.sign(other.header(), other.claims());
    assert.ok("accountId" in (await other.tokens.verify(token)));
    const algorithms = ["none", "HS256", "HS384", "ES256", "EdDSA", "Ed25519", "RS256"].filter(
      (alg) => alg !== algorithm,
    );
    await assertRefused(
      [
        ...algorithms.map((alg): Case => [alg, other.sign(other.header({ alg }), other.claims())]),
        ["of another server's key", good],
        ["of another server's key, with our kid", forge.sign(forge.header({ kid: other.key.id }), forge.claims())],
        withClaims({ sub: "01" }, other),
      ],
      other,
    );
  });
}
