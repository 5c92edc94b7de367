import assert from "node:assert/strict";
import { test } from "node:test";
import { hashPassword, isPassword, readPhc } from "./stored-password.ts";

const password = "correct horse battery staple";

/** Made by the library that Tollgate itself uses, from the password above. */
const byTollgate = "$argon2id$v=19$m=19456,t=2,p=1$UbsvKMg0ycMw1Fv6Qd7hEQ$YYHAnWupxQm4Tb+roVChphscI1whED9xY5JWNNX2bdc";
/** The same, with the cheap parameters of some years ago. */
const byAnOlderServer =
  "$argon2id$v=19$m=8192,t=1,p=1$HQHFqFv6DLVYYCPWWAoyCQ$uYyKo9YSThnTbKu2u9H6JU+nuJa3znQvWOJz7vGFZ9c";

test("what is stored does not show the password", async () => {
  const stored = await hashPassword(password);
  assert.ok(!stored.includes(password), "The stored text holds the password as it is: who reads it can sign in.");
});

test("it is a PHC string of argon2id, with the parameters of the task", async () => {
  const phc = readPhc(await hashPassword(password));
  assert.ok(phc, "The stored text is no PHC string: writePhc makes one.");
  const { memory, passes, parallelism, salt, hash } = phc;
  assert.equal(
    `m=${memory},t=${passes},p=${parallelism}`,
    "m=19456,t=2,p=1",
    "The parameters are not those of the task.",
  );
  assert.equal(salt.length, 16, "The salt must have 16 bytes.");
  assert.equal(hash.length, 32, "The hash must have 32 bytes.");
});

test("the same password is stored differently each time", async () => {
  const [one, two] = [await hashPassword(password), await hashPassword(password)];
  assert.notEqual(
    one,
    two,
    "One password gave the same text twice: then one look at the database tells who has the same password. Use a new random salt each time.",
  );
});

test("the right password fits, and no other", async () => {
  const stored = await hashPassword(password);
  assert.equal(await isPassword(stored, password), true, "The right password was refused.");
  for (const wrong of ["", "Correct horse battery staple", `${password} `, password.slice(0, -1), stored]) {
    assert.equal(
      await isPassword(stored, wrong),
      false,
      `${JSON.stringify(wrong)} was taken for ${JSON.stringify(password)}.`,
    );
  }
});

test("the parameters are read from what is stored", async () => {
  assert.equal(await isPassword(byTollgate, password), true, "A hash that Tollgate made was refused.");
  assert.equal(
    await isPassword(byAnOlderServer, password),
    true,
    "A hash with other parameters was refused. Check it with the parameters in the text, not with today's: else raising them locks everybody out.",
  );
});

test("what is no PHC string fits no password", async () => {
  for (const stored of ["", password, "$2b$10$abcdefghijklmnopqrstuv", "$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$"]) {
    const [result] = await Promise.allSettled([isPassword(stored, stored)]);
    assert.equal(
      result.status,
      "fulfilled",
      `isPassword threw for the stored text ${JSON.stringify(stored)}: answer false.`,
    );
    assert.equal(
      result.status === "fulfilled" && result.value,
      false,
      `${JSON.stringify(stored)} was stored, and fitted itself.`,
    );
  }
});
