import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { Redis as Client } from "ioredis";
import { openRedis, startRedis, withoutRedis } from "../../../test/support/redis-server.ts";
import { RedisAway } from "./redis-faults.ts";
import { redisScript, redisScriptForMany } from "./redis-script.ts";

const skip = withoutRedis();
/** Answers with the sum, twice the argument, and the key's length. */
const add = redisScriptForMany(
  "add",
  `local function answer(key, number) return redis.call("INCRBY", key, number), number * 2, #key end`,
);
const other = redisScriptForMany("other", `local function answer(key, number) return 0, tonumber(number), 0 end`);
const plain = redisScript("plain", `return redis.call("INCRBY", KEYS[1], ARGV[1])`);
const keyPrefix = "batches:";
const patient = { keyPrefix, answerMillisecondsMax: 10_000 };

const expected = (sum: number, number: number, key: string): number[] => [sum, number * 2, (keyPrefix + key).length];

function clientOf(t: { after: (end: () => void) => void }, url: string): Client {
  const client = new Client(url);
  t.after(() => client.disconnect());
  return client;
}

async function callsOf(client: Client): Promise<number> {
  return Number(/cmdstat_evalsha:calls=(\d+)/.exec(await client.info("commandstats"))?.[1] ?? 0);
}

function faultOf(result: PromiseSettledResult<unknown> | undefined): RedisAway {
  assert.ok(result?.status === "rejected" && result.reason instanceof RedisAway, JSON.stringify(result));
  return result.reason;
}

test(
  "what is asked in one round leaves in as few calls as it can, and each has its own answer",
  { skip },
  async (t) => {
    const { url } = await startRedis(t);
    const [redis, client] = [await openRedis(t, url, patient), clientOf(t, url)];
    await redis.run(add, "first", [1]);
    for (const count of [1, 15, 16, 17, 40]) {
      const before = await callsOf(client);
      const asked = Array.from({ length: count }, (_, index) => ({ key: `${count} ${index}`, number: index }));
      const answers = await Promise.all(asked.map(async ({ key, number }) => redis.run(add, key, [number])));
      assert.deepEqual(
        answers,
        asked.map(({ key, number }) => expected(number, number, key)),
      );
      // The look that finds out whether Redis is there may come between.
      const calls = (await callsOf(client)) - before - Math.ceil(count / 16);
      assert.ok(calls === 0 || calls === 1, `${count} in ${calls} more calls than needed`);
    }
  },
);

test("a key that is asked about many times is answered in turn", { skip }, async (t) => {
  const redis = await openRedis(t, (await startRedis(t)).url, patient);
  const answers = await Promise.all(Array.from({ length: 40 }, async () => redis.run(add, "a", [1])));
  assert.deepEqual(
    answers,
    answers.map((_, index) => expected(index + 1, 1, "a")),
  );
});

test("scripts are not mixed up", { skip }, async (t) => {
  const redis = await openRedis(t, (await startRedis(t)).url, patient);
  const [one, two, three, four] = await Promise.all([
    redis.run(add, "a", [3]),
    redis.run(other, "a", [4]),
    redis.run(plain, "b", [5]),
    redis.run(add, "a", [6]),
  ]);
  assert.deepEqual([one, two, three, four], [expected(3, 3, "a"), [0, 4, 0], 5, expected(9, 6, "a")]);
});

test("a key that cannot be asked about fails alone", { skip }, async (t) => {
  const { url } = await startRedis(t);
  const [redis, client] = [await openRedis(t, url, patient), clientOf(t, url)];
  await client.rpush(`${keyPrefix}list`, "1");
  await client.set(`${keyPrefix}word`, "word");
  const keys = ["a", "list", "b", "word", "a"];
  const [a, list, b, word, again] = await Promise.allSettled(keys.map(async (key) => redis.run(add, key, [1])));
  assert.deepEqual(
    [a, b, again].map((result) => (result?.status === "fulfilled" ? result.value : result?.reason)),
    [expected(1, 1, "a"), expected(1, 1, "b"), expected(2, 1, "a")],
  );
  assert.deepEqual([faultOf(list).reason, faultOf(word).reason], ["WRONGTYPE", "ERR"]);
  assert.equal(faultOf(list).late, undefined);
});

test("a script that Redis has forgotten is sent again, and counts once", { skip }, async (t) => {
  const { url } = await startRedis(t);
  const [redis, client] = [await openRedis(t, url, patient), clientOf(t, url)];
  await redis.run(add, "a", [0]);
  await client.script("FLUSH");
  await Promise.all(Array.from({ length: 50 }, async () => redis.run(add, "a", [1])));
  assert.equal(await client.get(`${keyPrefix}a`), "50");
});

test("too late for one is too late for all of a call, and each can hear its own answer", { skip }, async (t) => {
  const server = await startRedis(t);
  const redis = await openRedis(t, server.url, { keyPrefix });
  await redis.run(add, "a", [1]);
  server.signal("SIGSTOP");
  const startedAt = performance.now();
  const results = await Promise.allSettled(["a", "b", "a"].map(async (key) => redis.run(add, key, [1])));
  assert.ok(performance.now() - startedAt < 1_000);
  const faults = results.map(faultOf);
  assert.deepEqual(
    faults.map(({ reason }) => reason),
    ["no answer in time", "no answer in time", "no answer in time"],
  );
  server.signal("SIGCONT");
  assert.deepEqual(await Promise.all(faults.map(async ({ late }) => late)), [
    expected(2, 1, "a"),
    expected(1, 1, "b"),
    expected(3, 1, "a"),
  ]);
});

test("a connection that breaks fails what was asked, late answers too, and nobody must listen", { skip }, async (t) => {
  const unheard: unknown[] = [];
  const hear = (reason: unknown): void => void unheard.push(reason);
  process.on("unhandledRejection", hear);
  t.after(() => process.off("unhandledRejection", hear));
  const server = await startRedis(t);
  const redis = await openRedis(t, server.url, { keyPrefix });
  await redis.run(add, "a", [1]);
  server.signal("SIGSTOP");
  const results = await Promise.allSettled(["a", "b"].map(async (key) => redis.run(add, key, [1])));
  await server.kill();
  const late = results.map((result) => faultOf(result).late);
  assert.ok(late.every((one) => one !== undefined));
  await assert.rejects(async () => late[0]);
  await pause(50);
  assert.deepEqual(unheard, []);
});

test("closing sends what was still waiting for others", { skip }, async (t) => {
  const redis = await openRedis(t, (await startRedis(t)).url, patient);
  await redis.run(add, "a", [1]);
  const asked = redis.run(add, "a", [1]);
  await redis.close();
  assert.deepEqual(await asked, expected(2, 1, "a"));
});
