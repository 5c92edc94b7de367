import assert from "node:assert/strict";
import { test } from "node:test";
import { problems } from "../../../src/contract/problems.ts";
import { refusalFor, type Access, type Token } from "./refusal.ts";

const user: Token = { accountId: 2, role: "user" };
const administrator: Token = { accountId: 1, role: "admin" };
const list: Access = { needs: "users:read" };
const accountOf = (owner: number): Access => ({ needs: "users:read", orOwner: owner });

function told(token: Token, access: Access): string {
  const refusal = refusalFor(token, access);
  if (refusal === undefined) return "passes";
  const { status, code, challenge } = refusal;
  return `${status} ${code}${challenge === undefined ? "" : `, ${challenge}`}`;
}

function requireAnswer(what: string, token: Token, access: Access, expected: string, because: string): void {
  const seen = told(token, access);
  assert.equal(seen, expected, `${what}: the answer was ${seen}. It must be ${expected}: ${because}`);
}

test("without a token: 401, and a challenge without an error", () => {
  requireAnswer(
    "No token",
    "none",
    list,
    "401 token-missing, Bearer",
    "nobody has said who is asking, and nothing that was sent is wrong.",
  );
});

test("with a bad token: 401, and the challenge names the error", () => {
  const challenge = 'Bearer error="invalid_token"';
  requireAnswer("A forged token", "invalid", list, `401 token-invalid, ${challenge}`, "we do not know who is asking.");
  requireAnswer(
    "An old token",
    "expired",
    list,
    `401 token-expired, ${challenge}`,
    "the client should know that a refresh is enough.",
  );
});

test("a known person who may not: 403, and no challenge", () => {
  requireAnswer(
    "A user at the list of all accounts",
    user,
    list,
    "403 permission-denied",
    "we know who it is, and signing in again would not help.",
  );
});

test("a known person who may", () => {
  requireAnswer("An administrator at the list", administrator, list, "passes", "the role has the permission.");
});

test("one's own account", () => {
  requireAnswer("A user at the own account", user, accountOf(2), "passes", "it is theirs; no permission is needed.");
  requireAnswer(
    "An administrator at any account",
    administrator,
    accountOf(2),
    "passes",
    "the role has the permission.",
  );
});

test("somebody else's account looks as if it were not there", () => {
  requireAnswer(
    "A user at another account",
    user,
    accountOf(3),
    "404 user-not-found",
    "a 403 would tell that the account exists.",
  );
});

test("who is asking is asked first", () => {
  requireAnswer(
    "No token, at an account",
    "none",
    accountOf(2),
    "401 token-missing, Bearer",
    "we do not know who it is.",
  );
});

test("what is for everybody is for everybody", () => {
  for (const token of ["none", "invalid", "expired", user] as const) {
    const what = typeof token === "string" ? `A page for everybody, token: ${token}` : "A page for everybody, a user";
    requireAnswer(what, token, "public", "passes", "it asks nobody who they are.");
  }
});

test("each code has the status of the catalogue", () => {
  for (const token of ["none", "invalid", "expired", user] as const) {
    for (const access of [list, accountOf(3)]) {
      const refusal = refusalFor(token, access);
      const entry = Object.entries(problems).find(([code]) => code === refusal?.code)?.[1];
      assert.equal(refusal?.status, entry?.status, `In Tollgate's catalogue ${refusal?.code} is ${entry?.status}.`);
    }
  }
});
