import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { setImmediate, setTimeout as pause } from "node:timers/promises";
import { pino } from "pino";
import { openRedis, startRedis, withoutRedis } from "../../../test/support/redis-server.ts";
import { RedisAway } from "../redis/redis-faults.ts";
import type { Redis, RedisParts } from "../redis/redis.ts";
import { createMemoryDecisionLog, type Decision, type NumberedDecision } from "./decisions.ts";
import { createSharedDecisionLog, type SharedDecisionLog } from "./redis-decisions.ts";

type RedisRun = Redis["run"];

const skip = withoutRedis();
const options = { decisionsMax: 300, log: pino({ level: "silent" }) };
const startsAt = Date.UTC(2026, 0, 15, 12);

function decision(index: number, code = "token-missing"): Decision {
  const gates = [{ gate: "authenticate", outcome: "refused", saw: code, durationMilliseconds: 0.5 }] as const;
  const about = { method: "GET", path: "/users/me", status: 401, decidedBy: "authenticate", code } as const;
  return { requestId: `id-${index}`, at: startsAt + index, ...about, accountId: null, address: "::1", gates };
}

async function openLog(t: TestContext, url: string, parts: Partial<RedisParts> = {}): Promise<SharedDecisionLog> {
  const redis = await openRedis(t, url, { keyPrefix: "same:", answerMillisecondsMax: 10_000, ...parts });
  return createSharedDecisionLog(redis, createMemoryDecisionLog(options.decisionsMax), options);
}

test("what one process refused, another finds and lists, the newest first", { skip }, async (t) => {
  const { url } = await startRedis(t);
  const [one, other] = [await openLog(t, url), await openLog(t, url)];
  for (let index = 0; index < 150; index += 1) {
    const log = index % 2 === 0 ? one : other;
    log.record(decision(index));
    await log.flush();
  }
  one.record(decision(150, "not-found"));
  await one.flush();
  for (const log of [one, other]) {
    assert.deepEqual({ ...(await log.find("id-0")), number: 0 }, { ...decision(0), number: 0 });
    assert.equal(await log.find("unknown"), undefined);
    const listed = await log.list({}, { count: 1000 });
    assert.deepEqual(
      listed.map(({ requestId }) => requestId),
      Array.from({ length: 151 }, (_, index) => `id-${150 - index}`),
    );
    const [first] = await log.list({ code: "not-found" }, { count: 5 });
    assert.equal(first?.requestId, "id-150");
    const between = await log.list({}, { after: listed[10]?.number, before: listed[4]?.number, count: 3 });
    assert.deepEqual(
      between.map(({ requestId }) => requestId),
      ["id-145", "id-144", "id-143"],
    );
  }
});

test("only so many are kept, and a flood writes no more than its share", { skip }, async (t) => {
  const { url } = await startRedis(t);
  const [one, reader] = [await openLog(t, url), await openLog(t, url)];
  for (let index = 0; index < 1000; index += 1) {
    one.record(decision(index));
    if (index % 100 === 99) await one.flush();
  }
  assert.equal((await reader.list({}, { count: 1000 })).length, 300);
  assert.equal(await reader.find("id-699"), undefined);
  assert.equal((await reader.find("id-700"))?.requestId, "id-700");
  for (let index = 1000; index < 5000; index += 1) one.record(decision(index));
  await one.flush();
  const listed = await reader.list({}, { count: 1000 });
  assert.deepEqual([listed.length, listed[0]?.requestId, listed[200]?.requestId], [300, "id-4999", "id-999"]);
});

test("what Redis did not take is written again, also when nothing more is refused", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const written: unknown[][] = [];
  let isAway = true;
  const run: RedisRun = async (_script, _key, args) => {
    if (isAway) throw new RedisAway("late");
    written.push([...args]);
  };
  const log = createSharedDecisionLog({ run }, createMemoryDecisionLog(options.decisionsMax), options);
  log.record(decision(1));
  for (let tick = 0; tick < 5; tick += 1) {
    t.mock.timers.tick(1_000);
    await setImmediate();
  }
  assert.deepEqual(written, []);
  isAway = false;
  t.mock.timers.tick(1_000);
  await setImmediate();
  assert.deepEqual(written, [[300, "id-1", JSON.stringify(decision(1))]]);
  t.mock.timers.tick(10_000);
  await setImmediate();
  assert.equal(written.length, 1);
});

test("with Redis away the own ones are told, and what is waiting is shared when it is back", { skip }, async (t) => {
  const server = await startRedis(t);
  const [one, reader] = [await openLog(t, server.url), await openLog(t, server.url)];
  server.signal("SIGSTOP");
  one.record(decision(1));
  server.signal("SIGKILL");
  await server.kill();
  assert.equal((await one.find("id-1"))?.requestId, "id-1");
  assert.equal(await one.find("unknown"), undefined);
  assert.deepEqual(
    (await one.list({}, { count: 5 })).map(({ requestId }) => requestId),
    ["id-1"],
  );
  assert.deepEqual(await reader.list({}, { count: 5 }), []);
  await server.start();
  for (; (await reader.find("id-1")) === undefined; await pause(20)) await one.flush();
  assert.equal((await reader.list({}, { count: 5 })).length, 1, "once");
});

test(
  "who watches hears all processes in order; with Redis away its own, and later the others', none twice",
  { skip },
  async (t) => {
    const server = await startRedis(t);
    const [one, other] = [await openLog(t, server.url), await openLog(t, server.url)];
    other.record(decision(1));
    await other.flush();
    const heard: NumberedDecision[] = [];
    const end = await one.subscribe((told) => void heard.push(told));
    const ids = (): string[] => heard.map(({ requestId }) => requestId);
    for (let index = 2; index < 8; index += 1) (index % 2 === 0 ? one : other).record(decision(index));
    while (heard.length < 6) await pause(20);
    assert.deepEqual(ids().toSorted(), ["id-2", "id-3", "id-4", "id-5", "id-6", "id-7"]);
    assert.deepEqual(heard, (await other.list({}, { count: 6 })).toReversed());

    await server.kill();
    one.record(decision(8));
    other.record(decision(9));
    while (heard.length < 7) await pause(20);
    assert.equal(ids().at(-1), "id-8");
    await server.start();
    for (; (await one.find("id-9")) === undefined; await pause(20)) await other.flush();
    one.record(decision(10));
    while (!ids().includes("id-10") || !ids().includes("id-9")) await pause(20);
    assert.equal(new Set(ids()).size, ids().length, "none twice");
    end();
    one.record(decision(11));
    other.record(decision(12));
    await Promise.all([one.flush(), other.flush()]);
    const again: NumberedDecision[] = [];
    const endAgain = await one.subscribe((told) => void again.push(told));
    other.record(decision(13));
    while (again.length < 1) await pause(20);
    assert.deepEqual([again[0]?.requestId, ids().includes("id-11")], ["id-13", false]);
    endAgain();
  },
);
