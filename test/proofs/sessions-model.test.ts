import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { isOnPostgres } from "../support/test-database.ts";
import { play, step, World } from "./sessions-model.ts";

/**
 * Random histories of accounts, sessions, refresh, revocation, guesses, crashes and outages, held against the model.
 * The seed is printed; SEED and RUNS in the environment play it again, or more of it.
 */
test("random histories of accounts and sessions go as the model says", { timeout: 120_000 }, async (t) => {
  const seed = Number(process.env["SEED"] ?? Date.now() % 1_000_000);
  const numRuns = Number(process.env["RUNS"] ?? (isOnPostgres ? 40 : 80));
  t.diagnostic(`seed ${seed}`);
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 30, maxLength: 60, size: "max" }), async (steps) => {
      const world = await World.open();
      const before = await world.server.events();
      for (const one of steps) await play(world, one);
      // I7: each thing acknowledged stands in the audit log, and nothing else does.
      const events = (await world.server.events()).slice(before.length);
      assert.deepEqual(events.toSorted(), world.events.toSorted());
      await world.close();
    }),
    // A failure is told at once; with its seed played again, it is made smaller first.
    { numRuns, seed, endOnFailure: process.env["SEED"] === undefined },
  );
});
