// Asks one limiter around the border of a fixed window and says how many it accepted within any one window at the most:
// `limiter-border.js OPTIONS`.
import { setTimeout as pause } from "node:timers/promises";
import { openLimiter } from "../lib/limiters.js";

const { name, redisUrl, quota, windowSeconds } = JSON.parse(process.argv[2]);
const take = await openLimiter(name, { quota, windowSeconds, redisUrl });
const windowMilliseconds = windowSeconds * 1000;
const times = [];

// The first one begins a fixed window; the others come shortly before its end and shortly after it.
const beginning = performance.now();
await ask(1);
await pause(beginning + 0.9 * windowMilliseconds - performance.now());
await ask(quota);
await pause(beginning + 1.1 * windowMilliseconds - performance.now());
await ask(quota);
const within = times.map((end) => times.filter((time) => time <= end && end - time < windowMilliseconds).length);
console.log(`RESULT ${JSON.stringify({ acceptedMost: Math.max(...within) })}`);
process.exit();

async function ask(count) {
  for (let asked = 0; asked < count; asked += 1) {
    const time = performance.now();
    if (await take("198.51.100.1")) times.push(time);
  }
}
