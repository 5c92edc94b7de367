import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parseList } from "structured-headers";
import { limitNames } from "../../contract/limits.ts";
import { rateLimitHeaders } from "./rate-limit-headers.ts";

const giveBack = async (): Promise<void> => undefined;
const limit = { name: "limited", quota: 5, windowSeconds: 60 };

test("as the contract writes them", () => {
  // draft-ietf-httpapi-ratelimit-headers-10 (requirement 73)
  const decision = { accepted: true, remaining: 3, resetSeconds: 42, retryAfterSeconds: 0, giveBack };
  assert.deepEqual(rateLimitHeaders({ limit, decision }), {
    "ratelimit-policy": '"limited";q=5;w=60',
    ratelimit: '"limited";r=3;t=42',
  });
});

test("who is refused also learns when to come again, and that is not earlier than t", () => {
  const decision = { accepted: false, remaining: 0, resetSeconds: 42, retryAfterSeconds: 42, giveBack };
  assert.deepEqual(rateLimitHeaders({ limit, decision }), {
    "ratelimit-policy": '"limited";q=5;w=60',
    ratelimit: '"limited";r=0;t=42',
    "retry-after": "42",
  });
});

test("whatever a limit decides, the headers parse to just that", () => {
  // RFC 9651 §3.1 and §3.1.2, draft-ietf-httpapi-ratelimit-headers-10 (requirement 73)
  const whole = fc.integer({ min: 0, max: 1_000_000 });
  const entry = fc
    .record({ name: fc.constantFrom(...limitNames), accepted: fc.boolean(), quota: whole, r: whole, t: whole })
    .map(({ name, accepted, quota, r, t }) => ({
      limit: { name, quota, windowSeconds: t + 1 },
      decision: { accepted, remaining: r, resetSeconds: t, retryAfterSeconds: accepted ? 0 : t, giveBack },
    }));
  fc.assert(
    fc.property(entry, (one) => {
      const { limit: is, decision } = one;
      const headers = rateLimitHeaders(one);
      const [policies, states] = ["ratelimit-policy", "ratelimit"].map((name) =>
        parseList(headers[name] ?? "").map(([item, parameters]) => [item, Object.fromEntries(parameters)]),
      );
      assert.deepEqual(policies, [[is.name, { q: is.quota, w: is.windowSeconds }]]);
      assert.deepEqual(states, [[is.name, { r: decision.remaining, t: decision.resetSeconds }]]);
      const waitSeconds = decision.retryAfterSeconds;
      assert.equal(headers["retry-after"], waitSeconds === 0 ? undefined : String(waitSeconds));
    }),
  );
});
