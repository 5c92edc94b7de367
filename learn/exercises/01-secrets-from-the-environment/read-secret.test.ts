import assert from "node:assert/strict";
import { test } from "node:test";
import { readSecret, type Environment } from "./read-secret.ts";

const good = "a random text of 32 bytes and more";

function errorOf(env: Environment): Error | undefined {
  try {
    readSecret(env);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error : new Error("not an Error");
  }
}

test("a good secret is taken from the environment", () => {
  assert.equal(readSecret({ SECRET_KEY: good }), good, "SECRET_KEY was set, so it is the secret.");
});

test("without SECRET_KEY the server does not start", () => {
  const why = "a secret that stands in the code is known to everybody who has the code. Throw an error instead.";
  assert.ok(errorOf({}), `SECRET_KEY was not set, and readSecret returned something nevertheless: ${why}`);
});

test("an empty or short one is none", () => {
  assert.ok(errorOf({ SECRET_KEY: "" }), "SECRET_KEY was empty, and was taken. An empty setting counts as not set.");
  assert.ok(
    errorOf({ SECRET_KEY: "x".repeat(31) }),
    "A secret of 31 bytes was taken. Fewer than 32 bytes can be guessed by trying: refuse them.",
  );
});

test("bytes are counted, not characters", () => {
  const secret = "é".repeat(16);
  assert.equal(errorOf({ SECRET_KEY: secret }), undefined, "16 times é has 32 bytes in UTF-8, and was refused.");
});

test("the error says what to set", () => {
  const message = errorOf({})?.message ?? "";
  assert.match(message, /SECRET_KEY/, "The error's message does not name SECRET_KEY: a person must know what to set.");
});

test("the error does not tell the secret", () => {
  const secret = "too-short-but-mine";
  const message = errorOf({ SECRET_KEY: secret })?.message ?? "";
  assert.ok(
    !message.includes(secret),
    "The error's message holds the secret. Messages end in logs, and logs are read.",
  );
});

test("nothing else is asked", () => {
  process.env["SECRET_KEY"] = good;
  assert.ok(
    errorOf({}),
    "readSecret found a secret although the environment it was given has none. Read the parameter, not process.env: then a test can say what is set.",
  );
});
