import assert from "node:assert/strict";
import { test } from "node:test";
import { createTurns, TurnRefused } from "./turns.ts";

test("turns come in the order they were asked for, one at a time", async () => {
  const turns = createTurns({ waitingMax: 10, waitMillisecondsMax: 1_000 });
  const begun: number[] = [];
  let running = 0;
  const callers = [0, 1, 2, 3].map(async (caller) => {
    await turns.take();
    running += 1;
    assert.equal(running, 1);
    begun.push(caller);
    await Promise.resolve();
    running -= 1;
    turns.give();
  });
  await Promise.all(callers);
  assert.deepEqual(begun, [0, 1, 2, 3]);
  await turns.take(); // Free again.
});

test("a caller that waits too long gives up, and the next in the queue is not lost", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const turns = createTurns({ waitingMax: 10, waitMillisecondsMax: 1_000 });
  await turns.take();
  const impatient = turns.take();
  t.mock.timers.tick(600);
  const patient = turns.take();
  t.mock.timers.tick(400);
  await assert.rejects(impatient, TurnRefused);
  turns.give();
  await patient;
  turns.give();
  await turns.take();
});

test("the queue has an end", async () => {
  const turns = createTurns({ waitingMax: 1, waitMillisecondsMax: 1_000 });
  await turns.take();
  const waiting = turns.take();
  await assert.rejects(turns.take(), TurnRefused);
  turns.give();
  await waiting;
});
