import assert from "node:assert/strict";
import { test } from "node:test";
import type { Fault } from "../../../src/contract/problems.ts";
import { signUpFaults } from "./sign-up-faults.ts";

const good = { email: "ada@example.com", password: "correct horse" };

function faultsOf(body: unknown): readonly Fault[] {
  try {
    return signUpFaults(body);
  } catch (error) {
    const text = JSON.stringify(body);
    assert.fail(`signUpFaults threw for ${text}: ${String(error)}. Whatever is sent, the answer is a list.`);
  }
}

/** As `#/email required`, in the order of the alphabet. */
function told(body: unknown): string {
  const lines = faultsOf(body).map(({ pointer, code }) => `${pointer} ${code}`);
  return lines.sort().join(", ") || "no fault";
}

function requireFaults(body: unknown, expected: string, because: string): void {
  const text = JSON.stringify(body);
  assert.equal(told(body), expected, `The body ${text} must have ${expected}: ${because}`);
}

test("a good body has no fault", () => {
  requireFaults(good, "no fault", "nothing is wrong with it.");
  requireFaults({ ...good, password: "äöüäöü" }, "no fault", "six characters are enough, whichever they are.");
});

test("a fault says where it is and what kind it is", () => {
  requireFaults({ ...good, email: "ada" }, "#/email format", "a page must know which field to mark.");
  requireFaults({ ...good, password: "12345" }, "#/password too-short", "five characters are one too few.");
});

test("all faults are told at once", () => {
  requireFaults(
    { email: "ada", password: "1" },
    "#/email format, #/password too-short",
    "both members are wrong, so nobody should have to send it a third time.",
  );
  requireFaults({}, "#/email required, #/password required", "nothing is there.");
});

test("a member of another type is no text", () => {
  requireFaults(
    { email: ["ada@example.com"], password: 123_456 },
    "#/email type, #/password type",
    "neither is a text.",
  );
  requireFaults({ ...good, email: null }, "#/email type", "null is there, but is no text.");
});

test("an address has one @, with something on both sides", () => {
  for (const email of ["@", "ada@", "@example.com", "ada@example.com, eve@example.com", "a@b@c"]) {
    requireFaults({ ...good, email }, "#/email format", "that is no single address.");
  }
});

test("what is unknown is named, not ignored", () => {
  requireFaults({ ...good, role: "admin" }, "#/role unknown-member", "a sign-up cannot choose its role.");
  requireFaults({ ...good, constructor: 1 }, "#/constructor unknown-member", "it is a member like any other.");
});

test("a pointer escapes ~ and /", () => {
  requireFaults({ ...good, "a/b": 1 }, "#/a~1b unknown-member", "a slash in a name would lead elsewhere.");
  requireFaults({ ...good, "~/": 1 }, "#/~0~1 unknown-member", "~ is ~0 and / is ~1. Escape ~ first.");
});

test("a body that is no object has one fault, of the whole", () => {
  for (const body of [null, [], "text", 7, undefined]) {
    requireFaults(body, "# type", "there is no member to speak of.");
  }
});

test("no detail repeats the password", () => {
  const secret = "hunt2";
  const details = faultsOf({ email: "ada@example.com", password: secret }).map(({ detail }) => detail);
  assert.ok(
    !details.join(" ").includes(secret),
    "A detail holds the password that was sent. Answers end in logs and screenshots.",
  );
});
