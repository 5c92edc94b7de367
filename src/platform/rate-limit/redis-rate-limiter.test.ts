import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { resolve } from "node:path";
import { createInterface } from "node:readline";
import { after, test } from "node:test";
import { Redis as Client } from "ioredis";
import { openRedis, startRedis, withoutRedis } from "../../../test/support/redis-server.ts";
import { createTurnedLimiter } from "../../../test/support/turned-redis.ts";
import { type LimiterUnderTest, rateLimiterConformance } from "./rate-limiter-conformance.ts";
import type { Limit } from "./rate-limiter.ts";

const skip = withoutRedis();
const server = skip ? undefined : await startRedis({ after });
const url = server?.url ?? "";
// What is exact is exact while Redis answers in time, and this machine may be busy with other tests.
const redis = skip ? undefined : await openRedis({ after }, url, { answerMillisecondsMax: 10_000 });
const client = new Client(url, { lazyConnect: true });
after(() => client.disconnect());

const createTurned = () => createTurnedLimiter(redis, client);

rateLimiterConformance(
  "Redis",
  async (): Promise<LimiterUnderTest> => {
    const { limiter, turn } = await createTurned();
    return { limiter, advance: turn };
  },
  skip,
);

const five: Limit = { name: "five", quota: 5, windowSeconds: 60 };

test("a key holds no more than its quota, and vanishes a second after its window", { skip }, async () => {
  const { limiter, turn, keyOf } = await createTurned();
  for (let count = 0; count < 100; count += 1) {
    await limiter.take(five, "a");
    await turn(5_000);
  }
  const key = await keyOf();
  assert.equal(await client.llen(key), 5);
  assert.equal(await client.type(key), "list");
  const milliseconds = await client.pttl(key);
  assert.ok(milliseconds > 60_000 && milliseconds <= 61_000, String(milliseconds));
  const decision = await limiter.take({ ...five, name: "given back" }, "a");
  await decision.giveBack();
  assert.equal(await client.exists(key.replace("five", "given back")), 0, "nothing counted, nothing kept");
});

function startAsker(milliseconds: string) {
  const script = resolve(import.meta.dirname, "../../../test/support/limiter-process.ts");
  const child = spawn(process.execPath, [script, url, "eight:", milliseconds], { stdio: ["pipe", "pipe", "inherit"] });
  const lines = createInterface(child.stdout);
  return {
    ready: once(lines, "line"),
    begin: async () => {
      child.stdin.write("begin");
      const [line] = (await once(lines, "line")) as [string];
      return JSON.parse(line) as Record<string, number>;
    },
  };
}

test("eight processes, one key: never one too many in any window, by Redis's own clock", { skip }, async () => {
  const monitor = await client.monitor();
  const times: number[] = [];
  monitor.on("monitor", (_at: string, [command, , time]: string[], source: string) => {
    if (source === "lua" && command === "RPUSH") times.push(Number(time));
  });
  const processes = Array.from({ length: 8 }, () => startAsker("3000"));
  await Promise.all(processes.map(({ ready }) => ready));
  const counts = await Promise.all(processes.map(async ({ begin }) => begin()));
  const sum = (name: string): number => counts.reduce((total, count) => total + (count[name] ?? 0), 0);
  while (times.length < sum("accepted")) await once(monitor, "monitor");
  monitor.disconnect();
  assert.equal(times.length, sum("accepted"), "each was told once");
  assert.ok(sum("refused") > sum("accepted"), "they pressed");
  assert.deepEqual(
    counts.map((count) => (count["refused"] ?? 0) > 0),
    Array.from({ length: 8 }, () => true),
    "all of them",
  );
  const [quota, windowMicroseconds] = [20, 1_000_000];
  assert.ok(times.length > 2 * quota, String(times.length));
  times.forEach((time, index) => {
    const earlier = times[index - quota];
    assert.ok(earlier === undefined || time - earlier >= windowMicroseconds, `one too many at ${time}`);
  });
});

test("a clock that is set back locks nobody out for longer than a window, and lets no more in", { skip }, async () => {
  // X11
  const { limiter, turn } = await createTurned();
  for (let count = 0; count < 5; count += 1) await limiter.take(five, "a");
  await turn(-3_600_000);
  const refused = await limiter.take(five, "a");
  assert.deepEqual([refused.accepted, refused.retryAfterSeconds], [false, 60]);
  await turn(60_000);
  const decisions = [];
  for (let count = 0; count < 6; count += 1) decisions.push((await limiter.take(five, "a")).accepted);
  assert.deepEqual(decisions, [true, true, true, true, true, false]);
});

test("a quota made smaller waits for as many to leave as are too many", { skip }, async () => {
  const { limiter, turn } = await createTurned();
  for (let count = 0; count < 5; count += 1) {
    await limiter.take(five, "a");
    await turn(1_000);
  }
  const refused = await limiter.take({ ...five, quota: 2 }, "a");
  assert.deepEqual([refused.accepted, refused.remaining, refused.resetSeconds], [false, 0, 55]);
  assert.equal(refused.retryAfterSeconds, 58);
  await turn(57_999);
  assert.equal((await limiter.take({ ...five, quota: 2 }, "a")).accepted, false);
  await turn(1);
  assert.equal((await limiter.take({ ...five, quota: 2 }, "a")).accepted, true);
});

test("scripts that Redis has forgotten are sent again, and counted once", { skip }, async () => {
  const { limiter } = await createTurned();
  await limiter.take(five, "a");
  await client.script("FLUSH");
  const decisions = await Promise.all(Array.from({ length: 20 }, () => limiter.take(five, "a")));
  assert.equal(decisions.filter(({ accepted }) => accepted).length, 4);
  await client.script("FLUSH");
  await decisions[0]?.giveBack();
  assert.equal((await limiter.take(five, "a")).accepted, true);
});

test("keys are told apart whatever is in them, and so are two installations in one Redis", { skip }, async () => {
  const { limiter } = await createTurned();
  const one: Limit = { ...five, quota: 1 };
  for (const key of ["a", "{a}", "a}", "{", "}", "{}", "a:b", "a b", "é", "\u0000", "*", "x".repeat(1024)]) {
    assert.equal((await limiter.take(one, key)).accepted, true, JSON.stringify(key));
    assert.equal((await limiter.take(one, key)).accepted, false, JSON.stringify(key));
  }
  const { limiter: other } = await createTurned();
  assert.equal((await other.take(one, "a")).accepted, true);
});
