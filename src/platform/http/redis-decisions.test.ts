import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { pino } from "pino";
import { openRedis, startRedis, withoutRedis } from "../../../test/support/redis-server.ts";
import type { RedisParts } from "../redis/redis.ts";
import { createMemoryDecisionLog, type Decision } from "./decisions.ts";
import { createSharedDecisionLog, type SharedDecisionLog } from "./redis-decisions.ts";

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
  for (let index = 0; index < 150; index += 1) (index % 2 === 0 ? one : other).record(decision(index));
  one.record(decision(150, "not-found"));
  await Promise.all([one.flush(), other.flush()]);
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
