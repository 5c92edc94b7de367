import assert from "node:assert/strict";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:net";
import { Writable } from "node:stream";
import { test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { Redis as Client } from "ioredis";
import { pino } from "pino";
import { makeCertificate, withoutOpenssl } from "../../../test/support/certificates.ts";
import { freePort } from "../../../test/support/server-process.ts";
import { openRedis, startRedis, withoutRedis } from "../../../test/support/redis-server.ts";
import { createTestClock } from "../../../test/support/test-clock.ts";
import { createRedisRateLimiter } from "../rate-limit/redis-rate-limiter.ts";
import { RedisAway } from "./redis-faults.ts";
import { redisScript } from "./redis-script.ts";
import type { Redis } from "./redis.ts";

const skip = withoutRedis();
const waitMillisecondsMax = 10_000;
const increment = redisScript("increment", `return redis.call("INCRBY", KEYS[1], ARGV[1])`);

function collectLog() {
  const lines: string[] = [];
  const destination = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      lines.push(String(chunk));
      done();
    },
  });
  return { lines, log: pino({ level: "trace" }, destination) };
}

async function waitUntil(isSo: () => boolean): Promise<void> {
  for (let waited = 0; waited < waitMillisecondsMax && !isSo(); waited += 10) await pause(10);
  assert.ok(isSo());
}

const isThere = (redis: Redis) => (): boolean => redis.fault() === undefined;
const isAway = (redis: Redis) => (): boolean => redis.fault() !== undefined;

async function awayOf(asked: Promise<unknown>): Promise<RedisAway> {
  return asked.then(
    () => assert.fail("it was answered"),
    (error: unknown) => (error instanceof RedisAway ? error : assert.fail(String(error))),
  );
}

test("a script runs on its key, under this installation's prefix", { skip }, async (t) => {
  const { url } = await startRedis(t);
  const [one, other] = [await openRedis(t, url), await openRedis(t, url)];
  assert.equal(one.fault(), undefined);
  assert.deepEqual([await one.run(increment, "a", [2]), await one.run(increment, "a", [3])], [2, 5]);
  assert.equal(await other.run(increment, "a", [1]), 1);
});

test("nobody at that address: the server starts all the same, and finds Redis when it comes", { skip }, async (t) => {
  const server = await startRedis(t);
  await server.kill();
  const redis = await openRedis(t, server.url);
  const { reason, late } = await awayOf(redis.run(increment, "a", [1]));
  assert.deepEqual([reason, late], ["ECONNREFUSED", undefined]);
  await server.start();
  await waitUntil(isThere(redis));
  assert.equal(await redis.run(increment, "a", [1]), 1);
});

test("an address that takes connections and never answers is away too", async (t) => {
  const silent = createServer(() => undefined).listen(0, "127.0.0.1");
  await once(silent, "listening");
  t.after(() => silent.close());
  const address = silent.address();
  const redis = await openRedis(t, `redis://127.0.0.1:${typeof address === "object" ? address?.port : 0}`);
  assert.equal((await awayOf(redis.run(increment, "a", [1]))).late, undefined);
  assert.notEqual(redis.fault(), undefined);
});

test("an idle connection that dies is noticed before anybody asks", { skip }, async (t) => {
  for (const signal of ["SIGSTOP", "SIGKILL"] as const) {
    const server = await startRedis(t);
    const redis = await openRedis(t, server.url);
    server.signal(signal);
    await waitUntil(isAway(redis));
  }
});

test("what comes too late is done all the same, and can be heard of", { skip }, async (t) => {
  const server = await startRedis(t);
  const redis = await openRedis(t, server.url);
  await redis.run(increment, "a", [1]);
  server.signal("SIGSTOP");
  const { reason, late } = await awayOf(redis.run(increment, "a", [1]));
  assert.equal(reason, "no answer in time");
  assert.equal((await awayOf(redis.run(increment, "a", [1]))).late, undefined, "this one was not even sent");
  server.signal("SIGCONT");
  assert.equal(await late, 2);
  await waitUntil(isThere(redis));
  assert.equal(await redis.run(increment, "a", [1]), 3);
});

test(
  "out and back again and again: one log line in a second at most, and the last one is true",
  { skip },
  async (t) => {
    const server = await startRedis(t);
    const { lines, log } = collectLog();
    const clock = createTestClock();
    const redis = await openRedis(t, server.url, { clock, log });
    for (let round = 0; round < 5; round += 1) {
      await server.kill();
      await waitUntil(isAway(redis));
      await server.start();
      await waitUntil(isThere(redis));
    }
    assert.equal(lines.length, 1, "no time has passed");
    clock.advance(1_000);
    await waitUntil(() => lines.length === 2);
    const told = lines.map((line) => (JSON.parse(line) as { msg: string }).msg);
    assert.match(told[0] ?? "", /^Redis is away/);
    assert.match(told[1] ?? "", /^Redis is back/);
  },
);

test("a password is sent, and never shown: not when it is wrong, not when it is missing", { skip }, async (t) => {
  const server = await startRedis(t, ["--requirepass", "the canary"]);
  const { lines, log } = collectLog();
  const good = await openRedis(t, server.url.replace("//", "//:the%20canary@"), { log });
  assert.equal(await good.run(increment, "a", [1]), 1);
  const named = await openRedis(t, server.url.replace("//", "//default:the%20canary@"), { log });
  assert.equal(await named.run(increment, "a", [1]), 1);
  const wrong = await openRedis(t, server.url.replace("//", "//:another%20canary@"), { log });
  assert.equal(wrong.fault(), "WRONGPASS");
  const without = await openRedis(t, server.url, { log });
  assert.equal(without.fault(), "NOAUTH");
  const away = [await awayOf(wrong.run(increment, "a", [1])), await awayOf(without.run(increment, "a", [1]))];
  assert.doesNotMatch(JSON.stringify([lines, away, away.map(String)]), /canary/);
});

test(
  "a user with the rights that docs/operate/redis.md names can do all, and nothing elsewhere",
  { skip },
  async (t) => {
    const server = await startRedis(t);
    const client = new Client(server.url);
    t.after(() => client.disconnect());
    await client.call(
      "ACL",
      "SETUSER",
      ..."tollgate on >password ~tollgate:* +@all -@admin -@dangerous +info".split(" "),
    );
    const url = server.url.replace("//", "//tollgate:password@");
    const redis = await openRedis(t, url, { keyPrefix: "tollgate:some:" });
    assert.equal(redis.fault(), undefined);
    const limiter = createRedisRateLimiter(redis);
    await (await limiter.take({ name: "some", quota: 1, windowSeconds: 60 }, "a")).giveBack();
    assert.equal((await limiter.take({ name: "some", quota: 1, windowSeconds: 60 }, "a")).accepted, true);
    const elsewhere = await openRedis(t, url, { keyPrefix: "other:" });
    assert.equal(elsewhere.fault(), "NOPERM");
  },
);

test("a database is chosen by its number", { skip }, async (t) => {
  const { url } = await startRedis(t);
  const [first, second] = [
    await openRedis(t, url, { keyPrefix: "same:" }),
    await openRedis(t, `${url}/1`, { keyPrefix: "same:" }),
  ];
  await first.run(increment, "a", [1]);
  assert.equal(await second.run(increment, "a", [1]), 1);
});

test("closing waits for what is under way and leaves nothing behind", { skip }, async (t) => {
  const { url } = await startRedis(t);
  const redis = await openRedis(t, url);
  await redis.run(increment, "a", [1]);
  const asked = redis.run(increment, "a", [1]);
  await redis.close();
  assert.equal(await asked, 2);
  await awayOf(redis.run(increment, "a", [1]));
  const nobody = await openRedis(t, `redis://127.0.0.1:${await freePort()}`);
  await nobody.close();
  await nobody.close();
});

test(
  "TLS: the certificate must be one that is trusted, and for that host",
  { skip: skip || withoutOpenssl() },
  async (t) => {
    const { certificate, key } = makeCertificate(t, "localhost");
    const port = await freePort();
    const tls = ["--tls-port", String(port), "--tls-cert-file", certificate, "--tls-key-file", key];
    await startRedis(t, [...tls, "--tls-auth-clients", "no", "--requirepass", "pass"]);
    const strange = await openRedis(t, `rediss://:pass@localhost:${port}`);
    assert.equal(strange.fault(), "DEPTH_ZERO_SELF_SIGNED_CERT");
    const former = getCACertificates("default");
    setDefaultCACertificates([...former, readFileSync(certificate, "utf8")]);
    t.after(() => setDefaultCACertificates(former));
    const trusted = await openRedis(t, `rediss://:pass@localhost:${port}`);
    assert.equal(await trusted.run(increment, "a", [1]), 1);
    const misnamed = await openRedis(t, `rediss://:pass@127.0.0.1:${port}`);
    assert.equal(misnamed.fault(), "ERR_TLS_CERT_ALTNAME_INVALID");
  },
);
