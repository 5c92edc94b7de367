import assert from "node:assert/strict";
import { test } from "node:test";
import { parseList } from "structured-headers";
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
