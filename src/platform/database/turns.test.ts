import assert from "node:assert/strict";
import { test } from "node:test";
import { createTurns, TurnRefused } from "./turns.ts";

test("turns come in the order they were asked for, one at a time", async () => {
  const turns = createTurns({ atOnce: 1, waitingMax: 10, waitMillisecondsMax: 1_000 });
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
  const turns = createTurns({ atOnce: 1, waitingMax: 10, waitMillisecondsMax: 1_000 });
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
  const turns = createTurns({ atOnce: 1, waitingMax: 1, waitMillisecondsMax: 1_000 });
  await turns.take();
  const waiting = turns.take();
  await assert.rejects(turns.take(), TurnRefused);
  turns.give();
  await waiting;
});

test("so many at once as there are connections", async () => {
  const turns = createTurns({ atOnce: 2, waitingMax: 1, waitMillisecondsMax: 1_000 });
  await turns.take();
  await turns.take();
  const third = turns.take();
  await assert.rejects(turns.take(), TurnRefused);
  turns.give();
  await third;
});

test("a burst waits as long as turns end well, and is refused when none does", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const turns = createTurns({ atOnce: 1, waitingMax: 10, waitMillisecondsMax: 5_000, stallMillisecondsMax: 1_000 });
  await turns.take();
  const served = [turns.take(), turns.take(), turns.take()];
  for (const turn of served) {
    for (let tenth = 1; tenth <= 9; tenth += 1) t.mock.timers.tick(100);
    turns.give();
    await turn;
  }
  const waiting = [turns.take(), turns.take()];
  for (let tenth = 1; tenth <= 9; tenth += 1) t.mock.timers.tick(100);
  turns.give("badly");
  await waiting[0];
  const late = assert.rejects(waiting[1] ?? Promise.resolve(), /answered nobody within 1000 ms/);
  t.mock.timers.tick(100);
  await late;
  await assert.rejects(turns.take(), /answers nobody at present/, "at once, while it hangs");

  turns.give("badly");
  await turns.take(); // Somebody has to try.
  turns.give();
  await turns.take();
  const patient = turns.take();
  turns.give();
  await patient;
});

test("a stall is forgotten when nothing is under way", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const turns = createTurns({ atOnce: 1, waitingMax: 10, waitMillisecondsMax: 5_000, stallMillisecondsMax: 1_000 });
  await turns.take();
  const refused = assert.rejects(turns.take(), TurnRefused);
  for (let tenth = 1; tenth <= 10; tenth += 1) t.mock.timers.tick(100);
  await refused;
  turns.give("badly");
  await turns.take();
  const patient = turns.take();
  for (let tenth = 1; tenth <= 9; tenth += 1) t.mock.timers.tick(100);
  turns.give();
  await patient;
});
