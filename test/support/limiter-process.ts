/**
 * A process that asks for places of one key as fast as it can: `node limiter-process.ts URL PREFIX MILLISECONDS`.
 * Says "ready", begins when it is sent anything, and ends with what it got.
 */
import { once } from "node:events";
import { createRedisRateLimiter } from "../../src/platform/rate-limit/redis-rate-limiter.ts";
import { openRedis } from "./redis-server.ts";

const [url = "", keyPrefix = "", milliseconds = "0"] = process.argv.slice(2);
const askersPerProcess = 4;
const ends: (() => void | Promise<void>)[] = [];
const redis = await openRedis({ after: (end) => void ends.push(end) }, url, {
  keyPrefix,
  answerMillisecondsMax: 10_000,
});
const limiter = createRedisRateLimiter(redis);
console.log("ready");
await once(process.stdin, "data");
process.stdin.destroy();
const endsAt = performance.now() + Number(milliseconds);
const counts = { accepted: 0, refused: 0 };

async function ask(): Promise<void> {
  while (performance.now() < endsAt) {
    const { accepted } = await limiter.take({ name: "shared", quota: 20, windowSeconds: 1 }, "one");
    counts[accepted ? "accepted" : "refused"] += 1;
  }
}

await Promise.all(Array.from({ length: askersPerProcess }, ask));
for (const end of ends) await end();
console.log(JSON.stringify(counts));
