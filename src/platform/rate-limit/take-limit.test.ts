import assert from "node:assert/strict";
import { test } from "node:test";
import { parseList } from "structured-headers";
import { createTestClock } from "../../../test/support/test-clock.ts";
import { readConfig } from "../../config.ts";
import { limitNames } from "../../contract/limits.ts";
import { Problem } from "../../contract/problems.ts";
import type { Platform } from "../platform.ts";
import { createMemoryRateLimiter } from "./memory-rate-limiter.ts";
import { takeLimit } from "./take-limit.ts";

type Parts = Pick<Platform, "config" | "rateLimiter">;

function createParts(limited: string): Parts & { readonly advance: (milliseconds: number) => void } {
  const clock = createTestClock();
  const read = readConfig({ DATABASE_URL: "sqlite::memory:", LIMIT_LIMITED: limited });
  assert.ok(read.ok);
  const rateLimiter = createMemoryRateLimiter(clock, { keysMax: 10 });
  return { config: read.config, rateLimiter, advance: clock.advance };
}

async function refusalOf(parts: Parts, key: string): Promise<Problem> {
  try {
    await takeLimit(parts, "limited", key);
  } catch (error) {
    return error instanceof Problem ? error : assert.fail(String(error));
  }
  return assert.fail("it was accepted");
}

test("each limit is taken under its own name and with the quota that is set", async () => {
  const parts = createParts("2/30s");
  for (const name of limitNames) {
    const taken = await takeLimit(parts, name, "a");
    assert.deepEqual(taken?.limit, { name, ...parts.config.limits[name] });
    assert.equal(taken.decision.accepted, true);
  }
  assert.equal(parts.rateLimiter.keysHeld(), limitNames.length);
});

test("a limit that is off counts nothing", async () => {
  const parts = createParts("off");
  for (let count = 0; count < 100; count += 1) assert.equal(await takeLimit(parts, "limited", "a"), undefined);
  assert.equal(parts.rateLimiter.keysHeld(), 0);
});

test("beyond it: 429 with a wait that is true, in words, members and headers alike", async () => {
  // RFC 6585 §4, draft-ietf-httpapi-ratelimit-headers-10 (requirement 73)
  const parts = createParts("2/30s");
  await takeLimit(parts, "limited", "who it is");
  parts.advance(10_500);
  await takeLimit(parts, "limited", "who it is");
  const refusal = await refusalOf(parts, "who it is");
  assert.deepEqual([refusal.code, refusal.status, refusal.gate], ["too-many-requests", 429, "limit"]);
  assert.match(refusal.detail, /"limited" allows 2 in 30 seconds\. Wait 20 seconds/);
  assert.ok(!JSON.stringify([refusal.detail, refusal.members]).includes("who it is"));
  const members = { limit: "limited", "violated-policies": ["limited"], retry_after_seconds: 20 };
  assert.deepEqual(refusal.members, members);
  assert.equal(refusal.headers["retry-after"], "20");
  const [[name, state] = []] = parseList(refusal.headers["ratelimit"] ?? "");
  assert.deepEqual([name, ...(state ?? [])], ["limited", ["r", 0], ["t", 20]]);

  assert.ok(await takeLimit(parts, "limited", "another"), "others are not refused");
  parts.advance(19_000);
  await refusalOf(parts, "who it is");
  parts.advance(1_000);
  assert.ok(await takeLimit(parts, "limited", "who it is"), "the refused ones did not count");
});
