import assert from "node:assert/strict";
import { test } from "node:test";
import { settingsReference } from "../settings.ts";
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

test("each example is a request that can be sent: JSON unless that is the point, no header twice, no unknown name", () => {
  const brokenOnPurpose = ["malformed-json", "unsupported-media-type", "request-timeout"];
  const known =
    /^(?:user|administrator)\.(?:id|email|password|token)$|^user\.refresh_token$|^random$|^letters\.[1-9]\d{3,4}$/;
  for (const [code, { example }] of entries) {
    for (const { path, headers = {}, body, times = 1 } of [...(example.before ?? []), example]) {
      assert.match(path, /^\/[!-~]*$/, code);
      assert.ok(times >= 1 && times <= 20, code);
      for (const name of Object.keys(headers)) assert.match(name, /^[a-z-]+$/, `${code}: ${name}`);
      assert.equal(body !== undefined, headers["content-type"] !== undefined, `${code}: a body has its kind`);
      if (body !== undefined && !brokenOnPurpose.includes(code)) assert.equal(typeof JSON.parse(body), "object", code);
      const names = JSON.stringify([path, headers, body ?? ""]).matchAll(/\{\{([^}]*)\}\}/g);
      for (const [, name = ""] of names) assert.match(name, known, code);
    }
    if (example.notInLab !== undefined) assert.match(example.notInLab, /^[A-Z].*\.$/, code);
  }
});

test("every setting that a problem names is one", () => {
  const names = new Set(settingsReference().map(({ name }) => name));
  for (const [code, { settings = [] }] of entries) {
    assert.deepEqual(
      settings.filter((name) => !names.has(name)),
      [],
      code,
    );
  }
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
