import assert from "node:assert/strict";
import { test } from "node:test";
import { createTestClock } from "../../../test/support/test-clock.ts";
import { openTestDatabase } from "../../../test/support/test-database.ts";
import { addActivity, forgetOldActivity, readActivity } from "./overview-store.ts";

test("what is written of one time adds up, by the minute and by the quarter", async (t) => {
  const db = await openTestDatabase(t);
  const write = (minute: number, count: number) => addActivity({ db }, new Map([[minute, new Map([["a", count]])]]));
  await addActivity({ db }, new Map());
  for (const [minute, count] of [
    [30, 1],
    [30, 2],
    [44, 4],
    [45, 8],
  ] as const)
    await write(minute, count);
  const read = async (minutes: 1 | 15, since: number) =>
    [...(await readActivity({ db }, minutes, since))].map(([at, counts]) => [at / 60_000, counts.get("a")]);
  assert.deepEqual(await read(1, 0), [
    [30, 3],
    [44, 4],
    [45, 8],
  ]);
  assert.deepEqual(await read(15, 0), [
    [30, 7],
    [45, 8],
  ]);
  assert.deepEqual(await read(15, 31 * 60_000), [[45, 8]]);
});

test("what is old is forgotten, the oldest first and twenty times at once", async (t) => {
  const db = await openTestDatabase(t);
  const clock = createTestClock();
  const now = Math.floor(clock.now() / 60_000);
  for (let minute = now - 150; minute <= now; minute += 1) {
    await addActivity({ db }, new Map([[minute, new Map([["a", 1]])]]));
  }
  const minutesKept = async (): Promise<number> => (await readActivity({ db }, 1, 0)).size;
  const kept = [await minutesKept()];
  for (let step = 0; step < 3; step += 1) {
    await forgetOldActivity({ db, clock });
    kept.push(await minutesKept());
  }
  assert.deepEqual(kept, [151, 131, 121, 121], "two hours are kept");
  assert.equal((await readActivity({ db }, 15, 0)).size, 11, "quarters for longer");
});
