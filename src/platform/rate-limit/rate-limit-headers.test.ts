import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parseList } from "structured-headers";
import { limitNames } from "../../contract/limits.ts";
import { rateLimitHeaders } from "./rate-limit-headers.ts";

const giveBack = async (): Promise<void> => undefined;
const limit = { name: "limited", quota: 5, windowSeconds: 60 };

test("one limit, as the contract writes it", () => {
  // draft-ietf-httpapi-ratelimit-headers-10 (requirement 73)
  const decision = { accepted: true, remaining: 3, resetSeconds: 42, retryAfterSeconds: 0, giveBack };
  assert.deepEqual(rateLimitHeaders([{ limit, decision }]), {
    "ratelimit-policy": '"limited";q=5;w=60',
    ratelimit: '"limited";r=3;t=42',
  });
});

test("several are a list of structured fields, and Retry-After is not earlier than t", () => {
  const headers = rateLimitHeaders([
    { limit, decision: { accepted: false, remaining: 0, resetSeconds: 42, retryAfterSeconds: 42, giveBack } },
    {
      limit: { name: "api", quota: 600, windowSeconds: 60 },
      decision: { accepted: true, remaining: 9, resetSeconds: 60, retryAfterSeconds: 0, giveBack },
    },
  ]);
  const policies = parseList(headers["ratelimit-policy"] ?? "").map(([name, parameters]) => [name, ...parameters]);
  assert.deepEqual(policies, [
    ["limited", ["q", 5], ["w", 60]],
    ["api", ["q", 600], ["w", 60]],
  ]);
  const states = parseList(headers["ratelimit"] ?? "").map(([name, parameters]) => [name, ...parameters]);
  assert.deepEqual(states, [
    ["limited", ["r", 0], ["t", 42]],
    ["api", ["r", 9], ["t", 60]],
  ]);
  assert.equal(headers["retry-after"], "42");
});

test("no limit, no headers", () => {
  // RFC 9651 §3.1: an empty list is not written at all.
  assert.deepEqual(rateLimitHeaders([]), {});
});

test("whatever the limits decide, the headers parse to just that", () => {
  // RFC 9651 §3.1 and §3.1.2, draft-ietf-httpapi-ratelimit-headers-10 (requirement 73)
  const whole = fc.integer({ min: 0, max: 1_000_000 });
  const entry = fc
    .record({ name: fc.constantFrom(...limitNames), accepted: fc.boolean(), quota: whole, r: whole, t: whole })
    .map(({ name, accepted, quota, r, t }) => ({
      limit: { name, quota, windowSeconds: t + 1 },
      decision: { accepted, remaining: r, resetSeconds: t, retryAfterSeconds: accepted ? 0 : t, giveBack },
    }));
  const entries = fc.uniqueArray(entry, { minLength: 1, maxLength: 6, selector: ({ limit: { name } }) => name });
  fc.assert(
    fc.property(entries, (all) => {
      const headers = rateLimitHeaders(all);
      const [policies, states] = ["ratelimit-policy", "ratelimit"].map((name) =>
        parseList(headers[name] ?? "").map(([item, parameters]) => [item, Object.fromEntries(parameters)]),
      );
      assert.deepEqual(
        policies,
        all.map((one) => [one.limit.name, { q: one.limit.quota, w: one.limit.windowSeconds }]),
      );
      assert.deepEqual(
        states,
        all.map(({ limit: { name }, decision }) => [name, { r: decision.remaining, t: decision.resetSeconds }]),
      );
      const waitSeconds = Math.max(...all.map(({ decision }) => decision.retryAfterSeconds));
      assert.equal(headers["retry-after"], waitSeconds === 0 ? undefined : String(waitSeconds));
    }),
  );
});
