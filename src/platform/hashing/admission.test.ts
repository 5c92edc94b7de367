import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { TestContext } from "node:test";
import { Problem } from "../../contract/problems.ts";
import { createAdmission } from "./admission.ts";
import type { AdmissionBounds } from "./admission.ts";

const deadlineMilliseconds = 5000;

function setUp(context: TestContext, bounds: Partial<AdmissionBounds> = {}) {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  let now = 0;
  const admission = createAdmission({ slots: 2, queueMax: 3, deadlineMilliseconds, ...bounds }, () => now);
  const started: number[] = [];
  const finish: (() => void)[] = [];
  /** Runs work number `index`, which ends when `finish[index]` is called. */
  const run = (index: number): Promise<number> =>
    admission.run(() => {
      started.push(index);
      const { promise, resolve } = Promise.withResolvers<number>();
      finish[index] = () => resolve(index);
      return promise;
    });
  /** Lets time pass for the works that run, not for their deadlines. */
  const pass = (milliseconds: number): void => void (now += milliseconds);
  return { admission, started, finish, run, pass };
}

/** Lets all promises that can settle do so. */
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function isBusy(error: unknown): true {
  assert.ok(error instanceof Problem);
  assert.equal(error.code, "busy");
  assert.deepEqual(error.headers, { "Retry-After": "1" });
  assert.ok(error.cause instanceof Error);
  return true;
}

describe("admission", () => {
  // X17
  it("runs as many as there are slots, keeps a bounded queue in order, and refuses the rest at once", async (context) => {
    const { admission, started, finish, run } = setUp(context);
    const accepted = [0, 1, 2, 3, 4].map(run);
    await assert.rejects(run(5), isBusy);
    assert.throws(admission.requireRoom, isBusy);
    assert.deepEqual(started, [0, 1]);
    assert.deepEqual(admission.stats(), { running: 2, queued: 3, completed: 0, refused: 2 });

    finish[1]?.();
    await settle();
    assert.deepEqual(started, [0, 1, 2]);
    assert.deepEqual(admission.stats(), { running: 2, queued: 2, completed: 1, refused: 2 });

    for (const index of [0, 2, 3, 4]) {
      finish[index]?.();
      await settle();
    }
    assert.deepEqual(await Promise.all(accepted), [0, 1, 2, 3, 4]);
    assert.deepEqual(started, [0, 1, 2, 3, 4]);
    assert.deepEqual(admission.stats(), { running: 0, queued: 0, completed: 5, refused: 2 });
  });

  it("refuses at once whose turn would come too late by the latest times, and lets in again when they are better", async (context) => {
    const { admission, finish, run, pass } = setUp(context, { slots: 1, queueMax: 100 });
    const takes = async (index: number, milliseconds: number): Promise<void> => {
      const done = run(index);
      pass(milliseconds);
      finish[index]?.();
      await done;
    };
    for (let index = 0; index < 8; index += 1) await takes(index, 1000);
    // One that runs and four that wait take the five seconds.
    const accepted = [8, 9, 10, 11, 12].map(run);
    assert.throws(admission.requireRoom, isBusy);
    await assert.rejects(run(13), isBusy);
    assert.deepEqual(admission.stats(), { running: 1, queued: 4, completed: 8, refused: 2 });
    for (const index of [8, 9, 10, 11, 12]) {
      finish[index]?.();
      await settle();
    }
    assert.deepEqual(await Promise.all(accepted), [8, 9, 10, 11, 12]);

    for (let index = 14; index < 40; index += 1) await takes(index, 1);
    const many = Array.from({ length: 50 }, (_, index) => run(40 + index));
    admission.requireRoom();
    assert.deepEqual(admission.stats(), { running: 1, queued: 49, completed: 39, refused: 2 });
    for (let index = 40; index < 90; index += 1) {
      finish[index]?.();
      await settle();
    }
    await Promise.all(many);
  });

  it("drops at the deadline who waits, and never starts their work", async (context) => {
    const { admission, started, finish, run } = setUp(context, { slots: 1 });
    const first = run(0);
    context.mock.timers.tick(1000);
    const waiting = assert.rejects(run(1), isBusy);
    finish[0]?.();
    assert.equal(await first, 0);
    await settle();
    assert.deepEqual(started, [0, 1]);
    const late = assert.rejects(run(2), isBusy);
    context.mock.timers.tick(deadlineMilliseconds);
    await Promise.all([waiting, late]);
    assert.deepEqual(started, [0, 1]);
    assert.deepEqual(admission.stats(), { running: 1, queued: 0, completed: 1, refused: 2 });
  });

  it("answers the caller at the deadline, but frees the slot only when the work has ended", async (context) => {
    const { admission, started, finish, run } = setUp(context, { slots: 1 });
    const slow = assert.rejects(run(0), isBusy);
    context.mock.timers.tick(deadlineMilliseconds);
    await slow;
    assert.deepEqual(admission.stats(), { running: 1, queued: 0, completed: 0, refused: 1 });
    const next = run(1);
    assert.deepEqual(started, [0]);
    finish[0]?.();
    await settle();
    assert.deepEqual(started, [0, 1]);
    finish[1]?.();
    assert.equal(await next, 1);
    assert.deepEqual(admission.stats(), { running: 0, queued: 0, completed: 2, refused: 1 });
  });

  it("passes on the error of the work, and frees its slot", async (context) => {
    const { admission, run, finish } = setUp(context, { slots: 1 });
    await assert.rejects(
      admission.run(() => Promise.reject(new Error("broken"))),
      { message: "broken" },
    );
    const next = run(0);
    finish[0]?.();
    assert.equal(await next, 0);
    assert.deepEqual(admission.stats(), { running: 0, queued: 0, completed: 2, refused: 0 });
  });

  it("closes when all who were let in are done, and lets nobody else in", async (context) => {
    const { admission, finish, run } = setUp(context, { slots: 1 });
    const accepted = [0, 1].map(run);
    let isClosed = false;
    const closed = admission.close().then(() => (isClosed = true));
    await assert.rejects(run(2), isBusy);
    finish[0]?.();
    await settle();
    assert.equal(isClosed, false);
    finish[1]?.();
    await Promise.all([closed, admission.close()]);
    assert.deepEqual(await Promise.all(accepted), [0, 1]);
  });
});
