import assert from "node:assert/strict";
import { test } from "node:test";
import { Problem } from "../../../src/contract/problems.ts";
import { logIn, type Account } from "./log-in.ts";

const accounts = new Map<string, Account>([
  ["ada@example.com", { id: 1, passwordHash: "hash of: right", isDisabled: false }],
  ["eve@example.com", { id: 2, passwordHash: "hash of: right", isDisabled: true }],
]);

/** What a sign-in answered, and how many hashes it cost: a hasher that counts instead of hashing. */
async function attempt(
  email: string,
  password: string,
): Promise<{ answer: string; hashes: number; problem?: Problem }> {
  let hashes = 0;
  const hasher = {
    verify: async (phc: string, given: string) => {
      hashes += 1;
      return phc === `hash of: ${given}`;
    },
    verifyNothing: async () => {
      hashes += 1;
      return false as const;
    },
  };
  try {
    return { answer: `account ${await logIn(accounts, hasher, email, password)}`, hashes };
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    return { answer: `${error.status} ${error.code}: ${error.detail}`, hashes, problem: error };
  }
}

test("the right password signs in", async () => {
  const { answer } = await attempt("ada@example.com", "right");
  assert.equal(answer, "account 1", `Ada gave her password, and the answer was ${answer}.`);
});

test("a wrong password is wrong-credentials", async () => {
  const { problem, answer } = await attempt("ada@example.com", "wrong");
  assert.equal(problem?.code, "wrong-credentials", `Ada gave a wrong password, and the answer was ${answer}.`);
});

test("an unknown address gets the very same answer", async () => {
  const [unknown, known] = [await attempt("bob@example.com", "wrong"), await attempt("ada@example.com", "wrong")];
  assert.equal(
    unknown.answer,
    known.answer,
    `For an unknown address the answer is "${unknown.answer}", for a known one "${known.answer}". They must not differ in anything.`,
  );
});

test("the answer does not say which half was wrong", async () => {
  const { problem } = await attempt("ada@example.com", "wrong");
  const catalogue = new Problem("wrong-credentials");
  assert.equal(
    problem?.detail,
    catalogue.detail,
    "A detail of your own says more than the catalogue's, or may do so one day.",
  );
});

test("an unknown address costs one hash, as a known one does", async () => {
  const [unknown, known] = [await attempt("bob@example.com", "wrong"), await attempt("ada@example.com", "wrong")];
  assert.equal(known.hashes, 1, `A wrong password cost ${known.hashes} hashes instead of one.`);
  assert.equal(
    unknown.hashes,
    1,
    `An unknown address cost ${unknown.hashes} hashes, a known one ${known.hashes}. A hash takes milliseconds: the time tells who has an account.`,
  );
});

test("a disabled account is told to its owner", async () => {
  const { problem, answer, hashes } = await attempt("eve@example.com", "right");
  assert.equal(
    problem?.code,
    "account-disabled",
    `Eve gave her password, and her account is disabled; the answer was ${answer}.`,
  );
  assert.equal(hashes, 1, "A disabled account must cost a hash as well.");
});

test("and to nobody else", async () => {
  const { problem, answer, hashes } = await attempt("eve@example.com", "wrong");
  assert.equal(
    problem?.code,
    "wrong-credentials",
    `A stranger guessed at a disabled account, and learned that it exists: the answer was ${answer}.`,
  );
  assert.equal(hashes, 1, "A guess at a disabled account must cost a hash, like any other.");
});
