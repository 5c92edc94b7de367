import assert from "node:assert/strict";
import { test } from "node:test";
import { Problem } from "../../../src/contract/problems.ts";
import { createOnlyOnce, type OnlyOnce, type Request } from "./only-once.ts";

const hourMilliseconds = 3_600_000;
const payment: Request = { caller: "ada", key: "key-1", body: { euros: 10 } };

/** A bank that counts what it has paid, and a clock to turn. */
function setUp(): {
  onlyOnce: OnlyOnce<string>;
  pay: () => Promise<string>;
  paid: () => number;
  pass: (hours: number) => void;
} {
  let time = 0;
  let payments = 0;
  return {
    onlyOnce: createOnlyOnce<string>(() => time),
    pay: async () => {
      payments += 1;
      return `receipt ${payments}`;
    },
    paid: () => payments,
    pass: (hours) => {
      time += hours * hourMilliseconds;
    },
  };
}

async function codeOf(answer: Promise<string>): Promise<string> {
  try {
    return `no refusal, but ${await answer}`;
  } catch (error) {
    return error instanceof Problem ? error.code : `the error ${String(error)}`;
  }
}

test("the work is done for a new request", async () => {
  const { onlyOnce, pay, paid } = setUp();
  assert.equal(await onlyOnce(payment, pay), "receipt 1", "The answer of the work is the answer.");
  assert.equal(paid(), 1, "One request, one payment.");
});

test("the same request again has the same answer, and is not done again", async () => {
  const { onlyOnce, pay, paid } = setUp();
  await onlyOnce(payment, pay);
  const again = await onlyOnce({ ...payment, body: { euros: 10 } }, pay);
  assert.equal(paid(), 1, `The answer got lost, and the same request came again: it was paid ${paid()} times.`);
  assert.equal(again, "receipt 1", "A repetition must get the first answer again.");
});

test("another key is another request", async () => {
  const { onlyOnce, pay, paid } = setUp();
  await onlyOnce(payment, pay);
  await onlyOnce({ ...payment, key: "key-2" }, pay);
  assert.equal(paid(), 2, "Two keys are two payments.");
});

test("another caller with the same key is another request", async () => {
  const { onlyOnce, pay } = setUp();
  await onlyOnce(payment, pay);
  const ofBob = await onlyOnce({ ...payment, caller: "bob" }, pay);
  assert.equal(ofBob, "receipt 2", "Bob chose the same key as Ada, and was given Ada's receipt.");
  await onlyOnce({ ...payment, caller: "a", key: "bc" }, pay);
  const other = await onlyOnce({ ...payment, caller: "ab", key: "c" }, pay);
  assert.equal(other, "receipt 4", "The caller ab with the key c was taken for the caller a with the key bc.");
});

test("the same key with another body is a mistake", async () => {
  const { onlyOnce, pay, paid } = setUp();
  await onlyOnce(payment, pay);
  const code = await codeOf(onlyOnce({ ...payment, body: { euros: 99 } }, pay));
  assert.equal(code, "idempotency-key-reused", `One key came with 10 € and with 99 €; the answer was ${code}.`);
  assert.equal(paid(), 1, "A key that came with another body must not pay.");
});

test("while the first is under way, the second has to wait", async () => {
  const { onlyOnce, pay, paid } = setUp();
  const bank = Promise.withResolvers<void>();
  const slowly = async (): Promise<string> => {
    await bank.promise;
    return pay();
  };
  const first = onlyOnce(payment, slowly);
  const second = codeOf(onlyOnce(payment, pay));
  bank.resolve();
  const code = await second;
  assert.equal(
    code,
    "request-in-progress",
    `The same request came twice at once; the second one's answer was ${code}.`,
  );
  assert.equal(await first, "receipt 1", "The first request must not be disturbed by the second.");
  assert.equal(paid(), 1, `It was paid ${paid()} times.`);
  assert.equal(await onlyOnce(payment, pay), "receipt 1", "Once the first is done, a repetition gets its answer.");
});

test("work that failed may be tried again", async () => {
  const { onlyOnce, pay } = setUp();
  const fail = async (): Promise<string> => {
    throw new Error("the bank is closed");
  };
  const code = await codeOf(onlyOnce(payment, fail));
  assert.equal(code, "the error Error: the bank is closed", "What the work throws must reach the caller as it is.");
  const [again] = await Promise.allSettled([onlyOnce(payment, pay)]);
  assert.equal(again.status, "fulfilled", "The work failed once, and the key could never be used again.");
});

test("an answer is kept for a day", async () => {
  const { onlyOnce, pay, paid, pass } = setUp();
  await onlyOnce(payment, pay);
  pass(23);
  await onlyOnce(payment, pay);
  assert.equal(paid(), 1, "After 23 hours the answer was forgotten already.");
  pass(1);
  await onlyOnce(payment, pay);
  assert.equal(paid(), 2, "A key is promised for a day: after 24 hours the same request is a new one.");
});
