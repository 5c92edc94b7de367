import assert from "node:assert/strict";
import { test } from "node:test";
import { sharedDatabase } from "../support/test-database.ts";
import { startOwnServer } from "../../proof/own-server.ts";
import { proveRefresh } from "../../proof/refresh-run.ts";

test("400 rounds of lost answers, tabs, kill -9 and thieves: nobody honest signed out, no thief missed", async (t) => {
  // X1, X18, requirements 48–50; `npm run proof:refresh` plays 10,000.
  const seed = Date.now() % 1_000_000;
  t.diagnostic(`seed ${seed}`);
  const server = await startOwnServer({
    DATABASE_URL: await sharedDatabase(t),
    REFRESH_OVERLAP: "2s",
    ARGON2_MEMORY_KIB: "8",
    ARGON2_PASSES: "1",
    HASH_QUEUE: "500",
  });
  t.after(() => server.stop());
  const result = await proveRefresh({
    url: server.url,
    rounds: 400,
    seed,
    lanes: 48,
    overlapMilliseconds: 2000,
    crash: server.crash,
    crashEveryRounds: 100,
  });
  assert.deepEqual(result.honestSignOuts, [], `seed ${seed}`);
  assert.deepEqual(result.theftsMissed, [], `seed ${seed}`);
  assert.ok(result.crashes >= 2);
  assert.ok(result.setAside < 60, "a slow machine: most rounds say something all the same");
  assert.equal(Object.keys(result.rounds).length, 8, "every scenario was played");
});
