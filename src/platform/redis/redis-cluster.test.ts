/** A Cluster of three real masters on free ports. */
import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { Redis as Client } from "ioredis";
import { openRedis, startRedis, withoutRedis, type RedisServer } from "../../../test/support/redis-server.ts";
import { createRedisRateLimiter } from "../rate-limit/redis-rate-limiter.ts";
import type { Limit } from "../rate-limit/rate-limiter.ts";
import type { Redis } from "./redis.ts";

const skip = withoutRedis();
const slots = 16_384;
const waitMillisecondsMax = 20_000;
const five: Limit = { name: "five", quota: 5, windowSeconds: 60 };

type Cluster = { readonly masters: readonly RedisServer[]; readonly clients: readonly Client[]; readonly url: string };

/** Slots are given out by hand: `redis-cli --cluster create` would ask, and wants its own package. */
async function startCluster(t: TestContext, args: readonly string[] = []): Promise<Cluster> {
  // The bus between the nodes has a port of its own, which else is 10,000 higher and perhaps taken.
  const masters = await Promise.all(
    [0, 1, 2].map(() => startRedis(t, ["--cluster-enabled", "yes", "--cluster-port", "0", ...args])),
  );
  const clients = masters.map(({ port }) => new Client(port, "127.0.0.1", { lazyConnect: true }));
  for (const client of clients) client.on("error", () => undefined);
  t.after(() => clients.forEach((client) => client.disconnect()));
  const bounds = [0, 5461, 10_923, slots];
  for (const [index, client] of clients.entries()) {
    await client.call("CLUSTER", "ADDSLOTSRANGE", bounds[index] ?? 0, (bounds[index + 1] ?? 0) - 1);
    await client.call("CLUSTER", "SET-CONFIG-EPOCH", index + 1);
  }
  for (const { port } of masters) await clients[0]?.call("CLUSTER", "MEET", "127.0.0.1", port);
  await waitUntil(async () => {
    const infos = await Promise.all(clients.map((client) => client.call("CLUSTER", "INFO")));
    return infos.every((info) => /cluster_state:ok[\s\S]*cluster_known_nodes:3/.test(String(info)));
  });
  return { masters, clients, url: masters.map(({ url }) => url).join(",") };
}

async function waitUntil(isSo: () => boolean | Promise<boolean>): Promise<void> {
  for (let waited = 0; waited < waitMillisecondsMax; waited += 50) {
    if (await isSo()) return;
    await pause(50);
  }
  assert.fail("waited too long");
}

const keys = Array.from({ length: 60 }, (_, index) => `203.0.113.${index}`);

/** How many of six takes are accepted, for each key. */
async function acceptedOfSix(redis: Redis, limit: Limit): Promise<Set<number>> {
  const limiter = createRedisRateLimiter(redis);
  const counts = keys.map(async (key) => {
    const decisions = await Promise.all(Array.from({ length: 6 }, () => limiter.take(limit, key)));
    return decisions.filter(({ accepted }) => accepted).length;
  });
  return new Set(await Promise.all(counts));
}

test("keys are spread over the masters, each counted exactly, from one known node or all", { skip }, async (t) => {
  const { clients, url, masters } = await startCluster(t);
  const patient = { answerMillisecondsMax: 10_000 };
  const redis = await openRedis(t, url, patient);
  assert.equal(redis.fault(), undefined);
  assert.deepEqual([...(await acceptedOfSix(redis, five))], [5]);
  const sizes = await Promise.all(clients.map((client) => client.dbsize()));
  assert.ok(
    sizes.every((size) => size > 5),
    String(sizes),
  );
  const busiest = await createRedisRateLimiter(redis).busiest(five, 100);
  assert.deepEqual(new Set(busiest.map(({ key }) => key)), new Set(keys), "of all masters");
  const [first] = masters;
  const known = await openRedis(t, `${first?.url},127.0.0.1:${first?.port}`, patient);
  assert.deepEqual([...(await acceptedOfSix(known, { ...five, name: "known" }))], [5]);
});

test("a master that hangs or dies makes Redis away, and there again when it is back", { skip }, async (t) => {
  const { masters, url } = await startCluster(t, ["--cluster-node-timeout", "1000"]);
  const redis = await openRedis(t, url);
  const limiter = createRedisRateLimiter(redis);
  const isThere = (): boolean => redis.fault() === undefined;
  const take = async (key: string): Promise<boolean> =>
    limiter.take({ ...five, quota: 1_000_000 }, key).then(
      () => true,
      () => false,
    );
  const allTaken = async (): Promise<boolean> => (await Promise.all(keys.map(take))).every(Boolean);
  await waitUntil(allTaken);
  const [, second] = masters;
  const faults = [
    { breakIt: () => second?.signal("SIGSTOP"), mend: () => second?.signal("SIGCONT") },
    { breakIt: () => second?.kill(), mend: () => second?.start() },
  ];
  for (const { breakIt, mend } of faults) {
    await breakIt();
    await waitUntil(async () => !(await allTaken()) && !isThere());
    await mend();
    await waitUntil(isThere);
    await waitUntil(allTaken);
  }
});

test("a slot that moves to another master is followed", { skip }, async (t) => {
  const { clients, url } = await startCluster(t);
  const redis = await openRedis(t, url, { answerMillisecondsMax: 10_000 });
  const limiter = createRedisRateLimiter(redis);
  const ids = await Promise.all(clients.map((client) => client.call("CLUSTER", "MYID")));
  await limiter.take(five, "mover");
  const slot = Number(await clients[0]?.call("CLUSTER", "KEYSLOT", "mover"));
  for (const client of clients)
    await client.call("CLUSTER", "SETSLOT", slot, "NODE", String(ids[2])).catch(() => undefined);
  assert.equal((await limiter.take(five, "mover")).accepted, true);
  assert.equal(redis.fault(), undefined);
});
