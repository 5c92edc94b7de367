import assert from "node:assert/strict";
import type { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { Problem } from "../../../src/contract/problems.ts";
import { openDatabase, signUp } from "./sign-up.ts";

const password = "correct horse";

function count(database: DatabaseSync): number {
  return Number(database.prepare("select count(*) as accounts from accounts").get()?.["accounts"]);
}

function codeOf(error: unknown): string {
  if (error instanceof Problem) return error.code;
  return error instanceof Error ? `the database's own error, "${error.message}"` : "something that is no error";
}

test("somebody can sign up", async () => {
  const database = openDatabase();
  const [ada, bob] = [
    await signUp(database, "ada@example.com", password),
    await signUp(database, "bob@example.com", password),
  ];
  assert.notEqual(ada, bob, "Two accounts have the same id.");
  assert.equal(count(database), 2, "After two sign-ups with two addresses there are two accounts.");
});

test("the second sign-up with an address is refused", async () => {
  const database = openDatabase();
  await signUp(database, "ada@example.com", password);
  const [second] = await Promise.allSettled([signUp(database, "ada@example.com", password)]);
  assert.equal(second.status, "rejected", "The address was taken, and the second sign-up got an account.");
});

test("of ten sign-ups at once exactly one makes an account", async () => {
  const database = openDatabase();
  const attempts = Array.from({ length: 10 }, () => signUp(database, "ada@example.com", password));
  const results = await Promise.allSettled(attempts);
  const made = results.filter(({ status }) => status === "fulfilled").length;
  const why = "All looked before the first one inserted. A look cannot decide; a unique index can.";
  assert.equal(made, 1, `Ten sign-ups of one address came at once, and ${made} got an account. ${why}`);
  assert.equal(count(database), 1, "One sign-up succeeded, but the table does not have exactly one row.");
});

test("who was too late is told email-taken", async () => {
  const database = openDatabase();
  const attempts = Array.from({ length: 10 }, () => signUp(database, "ada@example.com", password));
  for (const result of await Promise.allSettled(attempts)) {
    if (result.status === "fulfilled") continue;
    const code = codeOf(result.reason);
    assert.equal(code, "email-taken", `A late sign-up must get the problem email-taken; it got ${code}.`);
  }
});

test("capital letters do not make another address", async () => {
  const database = openDatabase();
  const spellings = ["ada@example.com", "Ada@Example.com", "ADA@EXAMPLE.COM"];
  await Promise.allSettled(spellings.map((email) => signUp(database, email, password)));
  const accounts = count(database);
  assert.equal(accounts, 1, `Three spellings of one address made ${accounts} accounts. Which one gets the mail?`);
});
