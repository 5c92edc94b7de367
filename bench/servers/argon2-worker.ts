/** Verifies one password over and over, as the server's hash threads do, and says how often. */
import { parentPort, workerData } from "node:worker_threads";
import { hashSync, verifySync } from "@node-rs/argon2";

const { password, seconds } = workerData as { readonly password: string; readonly seconds: number };
const hash = hashSync(password, { memoryCost: 19_456, timeCost: 2, parallelism: 1 });
let count = 0;
for (const before = performance.now(); performance.now() - before < seconds * 1000; count += 1) {
  if (!verifySync(hash, password)) throw new Error("The password is not its own.");
}
// oxlint-disable-next-line unicorn/require-post-message-target-origin -- A thread, no window.
parentPort?.postMessage(count);
