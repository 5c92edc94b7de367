import assert from "node:assert/strict";
import { test } from "node:test";
import { createPace } from "./pace.ts";

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test("so many pass in each turn of the event loop, in the order of arrival, and others come between", async () => {
  const pace = createPace(3);
  const passed: string[] = [];
  const all = Array.from({ length: 8 }, async (_, index) => {
    await pace();
    passed.push(`${index}`);
  });
  for (let turn = 1; turn <= 3; turn += 1) {
    await nextTurn();
    passed.push("other work");
  }
  await Promise.all(all);
  assert.deepEqual(passed.slice(0, 3), ["0", "1", "2"]);
  assert.deepEqual(
    passed.filter((what) => what !== "other work"),
    ["0", "1", "2", "3", "4", "5", "6", "7"],
  );
  const between = (first: string, last: string): readonly string[] =>
    passed.slice(passed.indexOf(first), passed.indexOf(last));
  assert.ok(between("2", "6").includes("other work"));
});

test("who comes alone passes at once, also after a crowd", async () => {
  const pace = createPace(1);
  await Promise.all([pace(), pace(), pace()]);
  await nextTurn();
  await nextTurn();
  let hasPassed = false;
  void pace().then(() => (hasPassed = true));
  await Promise.resolve();
  await Promise.resolve();
  assert.equal(hasPassed, true);
});
