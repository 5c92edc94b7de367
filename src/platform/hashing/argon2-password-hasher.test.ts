import assert from "node:assert/strict";
import { after, describe, it } from "node:test";
import { Problem } from "../../contract/problems.ts";
import { createPasswordHasher } from "./argon2-password-hasher.ts";
import type { PasswordHasherOptions } from "./argon2-password-hasher.ts";
import type { PasswordHasher } from "./password-hasher.ts";

/** Those of production (OWASP Password Storage Cheat Sheet). */
const strong = { memoryKibibytes: 19_456, passes: 2, parallelism: 1 };
/** The least that argon2 takes: these tests are about all else. */
const quick = { memoryKibibytes: 8, passes: 1, parallelism: 1 };

const opened: PasswordHasher[] = [];

function open(options: Partial<PasswordHasherOptions> = {}): PasswordHasher {
  const hasher = createPasswordHasher({
    threads: 2,
    queueMax: 50,
    deadlineMilliseconds: 30_000,
    parameters: quick,
    ...options,
  });
  opened.push(hasher);
  return hasher;
}

after(() => Promise.all(opened.map((hasher) => hasher.close())));

describe("hash and verify", () => {
  const hasher = open();

  // ASVS 6.2.8 (requirement 3), V48
  const different: readonly (readonly [string, string, string])[] = [
    ["after 72 equal bytes", `${"x".repeat(72)}a`, `${"x".repeat(72)}b`],
    ["in the last of 256 characters", `${"x".repeat(255)}a`, `${"x".repeat(255)}b`],
    ["in the last of 1,024 bytes", `${"x".repeat(1023)}a`, `${"x".repeat(1023)}b`],
    ["in a space at the end", "quietly humming owls", "quietly humming owls "],
    ["in a space at the beginning", "quietly humming owls", " quietly humming owls"],
    ["after NUL", "quietly\0humming", "quietly\0dancing"],
    ["in a NUL at the end", "quietly humming", "quietly humming\0"],
    ["in case", "quietly humming owls", "Quietly humming owls"],
    ["in a ligature (requirement 5)", "\ufb01ve quiet owls", "five quiet owls"],
    ["in width (requirement 5)", "\uff41 quiet owl", "a quiet owl"],
  ];
  for (const [where, password, other] of different) {
    it(`tells passwords apart that differ ${where}`, async () => {
      const [phc, otherPhc] = await Promise.all([hasher.hash(password), hasher.hash(other)]);
      assert.equal(await hasher.verify(phc, password), true);
      assert.equal(await hasher.verify(phc, other), false);
      assert.equal(await hasher.verify(otherPhc, other), true);
      assert.equal(await hasher.verify(otherPhc, password), false);
    });
  }

  // RFC 8265 §4.2.2 (requirement 5)
  it("takes composed and decomposed letters for the same, both ways", async () => {
    assert.equal(await hasher.verify(await hasher.hash("caf\u00e9"), "cafe\u0301"), true);
    assert.equal(await hasher.verify(await hasher.hash("cafe\u0301"), "caf\u00e9"), true);
  });

  // ASVS 11.4.2 (requirement 10)
  it("writes the parameters into a PHC string, with a salt of its own", async () => {
    const hasher = open({ parameters: strong });
    const [first, second] = await Promise.all([hasher.hash("quiet owls"), hasher.hash("quiet owls")]);
    const form = /^\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/;
    assert.match(first, form);
    assert.match(second, form);
    assert.notEqual(first, second);
    assert.equal(hasher.needsRehash(first), false);
  });

  it("answers false for what no argon2 made", async () => {
    const bcrypt = "$2b$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy";
    const phc = await hasher.hash("x");
    for (const malformed of [
      "",
      "x",
      "$",
      "$argon2id$",
      bcrypt,
      phc.slice(0, -50),
      `${phc}$x`,
      phc.replace("m=8", "m=x"),
    ]) {
      assert.equal(await hasher.verify(malformed, "x"), false, malformed);
      assert.equal(hasher.needsRehash(malformed), true, malformed);
    }
  });

  // Requirement 10
  it("still verifies what other parameters made, and asks for a new hash", async () => {
    const phc = await hasher.hash("quiet owls");
    for (const change of [{ memoryKibibytes: 16 }, { passes: 2 }, { memoryKibibytes: 16, parallelism: 2 }]) {
      const later = open({ parameters: { ...quick, ...change } });
      assert.equal(await later.verify(phc, "quiet owls"), true);
      assert.equal(await later.verify(phc, "quiet cats"), false);
      assert.equal(later.needsRehash(phc), true);
    }
    assert.equal(hasher.needsRehash(phc), false);
    assert.equal(hasher.needsRehash(phc.replace("argon2id", "argon2i")), true);
    assert.equal(hasher.needsRehash(phc.replace("v=19", "v=16")), true);
  });

  it("hashes to find nothing", async () => {
    const before = hasher.stats().completed;
    assert.equal(await hasher.verifyNothing("quiet owls"), false);
    assert.equal(await hasher.verifyNothing(""), false);
    assert.equal(hasher.stats().completed, before + 2);
  });
});

describe("accounts that do not exist", () => {
  // Requirement 12: the random string is a real one, which costs a whole hash.
  it("cost what others cost", async () => {
    const hasher = open({ threads: 1, parameters: { ...strong, passes: 4 } });
    const phc = await hasher.hash("quiet owls");
    let [ofVerify, ofNothing] = [Infinity, Infinity];
    // In turn: what else the machine does slows down both, and the quickest of each the least.
    for (let count = 0; count < 5; count += 1) {
      ofVerify = Math.min(ofVerify, await millisecondsOf(() => hasher.verify(phc, "quiet cats")));
      ofNothing = Math.min(ofNothing, await millisecondsOf(() => hasher.verifyNothing("quiet cats")));
    }
    assert.ok(ofNothing > ofVerify / 2, `${ofNothing} ms against ${ofVerify} ms`);
  });

  async function millisecondsOf(run: () => Promise<unknown>): Promise<number> {
    const start = performance.now();
    await run();
    return performance.now() - start;
  }
});

describe("failures", () => {
  it("keeps the cause when a thread cannot hash, and frees the thread", async () => {
    const hasher = open({ threads: 1, parameters: { ...quick, memoryKibibytes: 1 } });
    await assert.rejects(hasher.hash("x"), (error) => {
      assert.ok(error instanceof Problem);
      assert.equal(error.code, "busy");
      assert.equal(error.headers["Retry-After"], "1");
      assert.ok(error.cause instanceof Error);
      return true;
    });
    assert.deepEqual(hasher.stats(), { running: 0, queued: 0, completed: 1, refused: 0 });
  });

  it("ends a thread that is stuck, and has its slot back", async () => {
    const hasher = open({ threads: 1, deadlineMilliseconds: 10, parameters: { ...strong, passes: 100 } });
    await assert.rejects(hasher.hash("x"), { code: "busy" });
    assert.equal(hasher.stats().running, 1);
    while (hasher.stats().running > 0) await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(hasher.stats(), { running: 0, queued: 0, completed: 1, refused: 1 });
    await hasher.close();
  });
});

describe("bounds", () => {
  // ASVS 6.2.9 (requirement 2)
  it("never hashes more than 1,024 bytes, nor lone surrogates: that is a mistake of the caller", async () => {
    const hasher = open();
    for (const password of ["x".repeat(2 ** 20), "x".repeat(1025), "x\ud800"]) {
      await assert.rejects(hasher.hash(password), RangeError);
      await assert.rejects(hasher.verify("$argon2id$", password), RangeError);
      await assert.rejects(hasher.verifyNothing(password), RangeError);
    }
    assert.deepEqual(hasher.stats(), { running: 0, queued: 0, completed: 0, refused: 0 });
  });

  // X17
  it("refuses at once what neither threads nor queue hold, and leaves the event loop free", async () => {
    const hasher = open({ threads: 2, queueMax: 20, parameters: strong });
    const order: string[] = [];
    const calls = Array.from({ length: 500 }, async () => {
      try {
        await hasher.hash("quietly humming owls");
        order.push("hashed");
      } catch (error) {
        assert.ok(error instanceof Problem);
        assert.equal(error.code, "busy");
        assert.equal(error.headers["Retry-After"], "1");
        order.push("busy");
      }
    });
    assert.deepEqual(hasher.stats(), { running: 2, queued: 20, completed: 0, refused: 478 });

    let turns = 0;
    let isDone = false;
    const done = Promise.all(calls).then(() => (isDone = true));
    while (!isDone) {
      const { running, queued } = hasher.stats();
      assert.ok(running <= 2 && queued <= 20);
      turns += 1;
      await new Promise((resolve) => setImmediate(resolve));
    }
    await done;
    // Were a hash done in the event loop, there would be a turn for each of them, and no more.
    assert.ok(turns > 22 * 10, `${turns} turns`);
    assert.deepEqual(order, [...Array<string>(478).fill("busy"), ...Array<string>(22).fill("hashed")]);
    assert.deepEqual(hasher.stats(), { running: 0, queued: 0, completed: 22, refused: 478 });
  });

  it("finishes at the close what it has accepted, then accepts nothing", async () => {
    const hasher = open({ threads: 1 });
    const accepted = Array.from({ length: 10 }, () => hasher.hash("quietly humming owls"));
    const closed = Promise.all([hasher.close(), hasher.close()]);
    await assert.rejects(hasher.verifyNothing("x"), { code: "busy" });
    await closed;
    assert.equal(hasher.stats().completed, 10);
    assert.equal((await Promise.all(accepted)).length, 10);
    await assert.rejects(hasher.hash("x"), { code: "busy" });
    await hasher.close();
  });
});
