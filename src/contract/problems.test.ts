import assert from "node:assert/strict";
import { test } from "node:test";
import { gates, type Gate } from "./gates.ts";
import type { ProblemEntry } from "./problem-entry.ts";
import { Problem, problemBody, problems, type ProblemCode } from "./problems.ts";

const entries = Object.entries<ProblemEntry>(problems);

/** The table of product.md: which statuses a gate refuses with. */
const statusesOfGate: Readonly<Record<Gate, readonly number[]>> = {
  route: [404, 405],
  limit: [429],
  authenticate: [401],
  authorize: [403],
  validate: [400, 413, 415, 422],
  handle: [404, 409, 410],
  depend: [503],
};

/** Decided at a gate whose row does not have their status; each for a reason. */
const exceptions: Readonly<Partial<Record<ProblemCode, string>>> = {
  "malformed-request": "400, but there is no route to speak of when the request itself cannot be read",
  "headers-too-large": "431, likewise",
  "request-timeout": "408, likewise",
  "two-credentials": "400 (RFC 6750 §3.1), and it is the authenticate gate that cannot tell who asks",
  internal: "500 belongs to no gate; it happens while handling",
};

test("each problem says all that its page needs, in sentences", () => {
  for (const [code, entry] of entries) {
    assert.match(code, /^[a-z]+(-[a-z]+)*$/);
    assert.ok(gates.includes(entry.gate), code);
    assert.match(entry.detail, /^[A-Z][^`]*\.$/, code);
    assert.match(entry.whatHappened, /\.$/, code);
    assert.doesNotMatch(entry.title, /\.$/, code);
    assert.ok(entry.causes.length > 0 && entry.cures.length > 0, code);
    for (const sentence of [...entry.causes, ...entry.cures]) assert.match(sentence, /[.?]$/, `${code}: ${sentence}`);
  }
});

test("each example request is one: a line, headers, a body that is JSON unless that is the point", () => {
  const brokenOnPurpose = ["malformed-json", "body-too-large", "unsupported-media-type"];
  for (const [code, { exampleRequest }] of entries) {
    const [head = "", ...rest] = exampleRequest.split("\n\n");
    const [requestLine = "", ...headers] = head.split("\n");
    assert.match(requestLine, /^(GET|POST|PUT|PATCH|DELETE) \/[!-~]* HTTP\/1\.1$/, code);
    for (const header of headers) assert.match(header, /^[A-Z][A-Za-z-]+: \S/, code);
    const body = rest.join("\n\n");
    if (body !== "" && !brokenOnPurpose.includes(code)) assert.equal(typeof JSON.parse(body), "object", code);
  }
});

test("the members that a problem adds are those of the contract", () => {
  const added = entries.flatMap(([code, { exampleMembers }]) =>
    exampleMembers === undefined ? [] : [[code, Object.keys(exampleMembers)]],
  );
  assert.deepEqual(Object.fromEntries(added), {
    "too-many-requests": ["limit", "violated-policies", "retry_after_seconds"],
    "refresh-refused": ["reason"],
    "permission-denied": ["missing_permission"],
    "validation-failed": ["errors"],
    "idempotency-key-reused": ["errors"],
    "rotation-pending": ["key_id", "signs_at"],
    "not-ready": ["failing"],
  });
});

test("what might help an attacker is told to nobody", () => {
  // ASVS 6.3.8 (requirement 12): neither half of the credentials, nor why a session is over, nor whose id it is
  const { detail, title } = problems["wrong-credentials"];
  assert.doesNotMatch(`${title} ${detail}`, /unknown|no account|no such|does not exist/i);
  assert.doesNotMatch(problems["session-ended"].detail, /password|disabled|deleted/);
  assert.match(problems["user-not-found"].detail, /that you may see/);
});

test("titles and codes are unique, and a status belongs to its gate", () => {
  assert.equal(new Set(entries.map(([, { title }]) => title)).size, entries.length);
  for (const [code, { status, gate }] of entries) {
    const isInTable = statusesOfGate[gate].includes(status);
    assert.equal(isInTable, !(code in exceptions), `${code}: ${status} at ${gate}`);
  }
});

test("a body has the standard members first, and nothing takes their place", () => {
  const problem = new Problem("permission-denied", {
    members: { missing_permission: "users:read", status: 200, code: "fine" },
    cause: new Error("the inside"),
  });
  const body = problemBody(problem, {
    publicUrl: "https://auth.example.com",
    instance: "/admin/users",
    requestId: "r1",
  });
  assert.deepEqual(Object.keys(body), [
    "type",
    "title",
    "status",
    "detail",
    "instance",
    "code",
    "request_id",
    "gate",
    "missing_permission",
  ]);
  assert.equal(body["type"], "https://auth.example.com/errors/permission-denied");
  assert.equal(body["status"], 403);
  assert.equal(body["code"], "permission-denied");
  assert.equal(body["missing_permission"], "users:read");
  assert.ok(!JSON.stringify(body).includes("inside"));
});
