import assert from "node:assert/strict";
import { test } from "node:test";
import { readServerTiming } from "./gates.ts";

test("what the gates said is read from Server-Timing, and nothing else from it", () => {
  const header = `route;desc="passed: /users/me";dur=0.012, limit;desc="passed: api, 599 of 600 left";dur=0.100, authenticate;desc="refused: token-missing";dur=1.5, cdn;desc="passed: x";dur=1`;
  assert.deepEqual(readServerTiming(header), [
    { gate: "route", outcome: "passed", saw: "/users/me", milliseconds: 0.012 },
    { gate: "limit", outcome: "passed", saw: "api, 599 of 600 left", milliseconds: 0.1 },
    { gate: "authenticate", outcome: "refused", saw: "token-missing", milliseconds: 1.5 },
  ]);
  assert.deepEqual(readServerTiming(""), []);
});
