import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { resolve } from "node:path";
import { createInterface } from "node:readline";
import { after, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
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

const bytesPerTime = 8;
const escapes: Readonly<Record<string, string>> = { n: "\n", r: "\r", t: "\t", a: "\u0007", b: "\b" };

async function waitUntilThere(): Promise<void> {
  for (let waited = 0; waited < 5_000 && redis?.fault() !== undefined; waited += 10) await pause(10);
  assert.equal(redis?.fault(), undefined);
}

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

test("a key holds little more than what it counts, and vanishes a second after its window", { skip }, async () => {
  const { limiter, turn, keyOf } = await createTurned();
  let longest = 0;
  for (let count = 0; count < 100; count += 1) {
    await limiter.take(five, "a");
    longest = Math.max(longest, await client.strlen(await keyOf()));
    await turn(5_000);
  }
  assert.ok(longest <= (5 + 8) * bytesPerTime, String(longest));
  const key = await keyOf();
  const milliseconds = await client.pttl(key);
  assert.ok(milliseconds > 60_000 && milliseconds <= 61_000, String(milliseconds));
  const decision = await limiter.take({ ...five, name: "given back" }, "a");
  await decision.giveBack();
  assert.equal(await client.exists(key.replace("five", "given back")), 0, "nothing counted, nothing kept");
});

test("a window of thousands is exact too, and what has left it is no more than a few", { skip }, async () => {
  const { limiter, turn, keyOf } = await createTurned();
  const many: Limit = { name: "many", quota: 3_000, windowSeconds: 60 };
  const takeMany = async (count: number) => {
    const decisions = await Promise.all(Array.from({ length: count }, async () => limiter.take(many, "a")));
    return decisions.filter(({ accepted }) => accepted);
  };
  const first = await takeMany(10);
  for (let taken = 10; taken < 3_000; taken += 46) {
    await turn(600);
    assert.equal((await takeMany(46)).length, Math.min(46, 3_000 - taken));
  }
  assert.equal((await takeMany(2)).length, 0, "as many as the quota");
  const { agesMilliseconds, ...full } = await limiter.inspect(many, "a");
  assert.deepEqual(full, { key: "a", used: 3_000, remaining: 0, retryAfterSeconds: 21 });
  assert.deepEqual([agesMilliseconds.length, agesMilliseconds[0]], [1_000, 0]);
  await turn(60_000 - 65 * 600);
  assert.equal((await takeMany(20)).length, 10, "the first ten have left");
  await first[3]?.giveBack();
  assert.equal((await takeMany(1)).length, 0, "one that has left frees no place");
  await turn(600);
  const [last] = await takeMany(1);
  await last?.giveBack();
  assert.equal((await takeMany(50)).length, 46);
  const refused = await limiter.take({ ...many, quota: 2_900 }, "a");
  assert.deepEqual([refused.resetSeconds, refused.retryAfterSeconds], [1, 2], "101 must leave");
  for (let step = 0; step < 200; step += 1) {
    await turn(600);
    await takeMany(46);
    const bytes = await client.strlen(await keyOf());
    assert.ok(bytes <= (3_000 + 64 + 46) * bytesPerTime, String(bytes));
  }
  await turn(-3_600_000);
  assert.equal((await takeMany(1)).length, 0);
  assert.equal((await limiter.take(many, "a")).retryAfterSeconds, 60);
  await turn(60_000);
  assert.equal((await takeMany(3_010)).length, 3_000);
});

test("what is no window of times is a fault of its key alone", { skip }, async () => {
  const { limiter, keyOf } = await createTurned();
  await limiter.take(five, "a");
  const key = await keyOf();
  await client.rpush(key.replace("{a}", "{list}"), "1");
  await client.set(key.replace("{a}", "{text}"), "text");
  const results = await Promise.allSettled(["a", "list", "b", "text", "a"].map((name) => limiter.take(five, name)));
  assert.deepEqual(
    results.map((result) => (result.status === "fulfilled" ? result.value.remaining : String(result.reason))),
    [3, "RedisAway: Redis is away (WRONGTYPE)", 4, "RedisAway: Redis is away (ERR)", 2],
  );
  // The circuit is open until the next look.
  await waitUntilThere();
});

/** MONITOR shows bytes as they are written in C. */
function lastTimeIn(shown: string): number {
  const bytes = shown.replaceAll(/\\(?:x(?<hex>[\da-f]{2})|(?<letter>.))/g, (_whole, hex?: string, letter = "") =>
    hex === undefined ? (escapes[letter] ?? letter) : String.fromCodePoint(Number.parseInt(hex, 16)),
  );
  return Buffer.from(bytes, "latin1").readDoubleLE(bytes.length - bytesPerTime);
}

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
  monitor.on("monitor", (_at: string, [command, key, time = ""]: string[], source: string) => {
    const isCounted = source === "lua" && (command === "APPEND" || command === "SET");
    if (isCounted && key?.endsWith(":{one}")) times.push(lastTimeIn(time));
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
