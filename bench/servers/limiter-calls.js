// Asks one limiter over and over, so many calls at once, and says how often it answered: `limiter-calls.js OPTIONS`.
import { openLimiter } from "../lib/limiters.js";

const { name, redisUrl, quota, windowSeconds, keys, callers, seconds } = JSON.parse(process.argv[2]);
const take = await openLimiter(name, { quota, windowSeconds, redisUrl });
const order = shuffledKeys(keys);
const warmUpSeconds = 1;

await ask(warmUpSeconds);
const { calls, accepted, elapsedSeconds } = await ask(seconds);
console.log(`RESULT ${JSON.stringify({ perSecond: calls / elapsedSeconds, acceptedShare: accepted / calls })}`);
process.exit();

async function ask(forSeconds) {
  const before = performance.now();
  const end = before + forSeconds * 1000;
  const count = { calls: 0, accepted: 0 };
  await Promise.all(Array.from({ length: callers }, (_, caller) => askUntil(end, caller, count)));
  return { ...count, elapsedSeconds: (performance.now() - before) / 1000 };
}

async function askUntil(end, caller, count) {
  for (let index = caller, asked = 1; ; index += callers, asked += 1) {
    if (await take(order[index % order.length])) count.accepted += 1;
    count.calls += 1;
    // Timers and sockets have their turn, as in a server; and a look at the clock costs nearly as much as a call.
    if (asked % 64 !== 0) continue;
    if (performance.now() >= end) return;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Ten times all keys in an order that looks random and is the same in every run (a linear congruential generator). */
function shuffledKeys(count) {
  let state = 42;
  const next = () => (state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0) / 2 ** 32;
  return Array.from({ length: 10 * count }, () => `192.0.2.${Math.floor(next() * count)}`);
}
