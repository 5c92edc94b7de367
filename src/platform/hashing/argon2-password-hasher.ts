import { randomBytes } from "node:crypto";
import { fileURLToPath } from "node:url";
import { parseOptions } from "@node-rs/argon2";
import type { ParsedHashOptions } from "@node-rs/argon2";
import { Piscina } from "piscina";
import { Problem } from "../../contract/problems.ts";
import { createAdmission } from "./admission.ts";
import { argon2Version13, argon2id } from "./hash-worker.ts";
import type { HashTask } from "./hash-worker.ts";
import type { HashParameters, PasswordHasher } from "./password-hasher.ts";
import { passwordBytes } from "./password-text.ts";

export type PasswordHasherOptions = {
  readonly threads: number;
  /** How many may wait for a thread. */
  readonly queueMax: number;
  /** From the call to the answer, waiting included. */
  readonly deadlineMilliseconds: number;
  readonly parameters: HashParameters;
};

type HashPool = Piscina<HashTask, string | boolean>;

const idleThreadMilliseconds = 60_000;

/** A hash that runs for this many deadlines is stuck, or its thread never came up: the thread is ended. */
const deadlinesUntilStuck = 10;

/**
 * The password hasher of the server: argon2id (RFC 9106) in threads of its own.
 * `hash`, `verify` and `verifyNothing` throw `RangeError` for passwords that are not `isHashable`: callers ask first.
 */
export function createPasswordHasher(options: PasswordHasherOptions): PasswordHasher {
  const { parameters, deadlineMilliseconds, threads, queueMax } = options;
  const pool = createHashPool(threads);
  const admission = createAdmission({ slots: threads, queueMax, deadlineMilliseconds });
  const nobody = randomPhc(parameters);
  let closed: Promise<void> | undefined;

  const inThread = (task: HashTask): Promise<string | boolean> =>
    admission.run(() => runInThread(pool, task, deadlineMilliseconds * deadlinesUntilStuck));

  const verify = async (phc: string, password: string): Promise<boolean> =>
    (await inThread({ kind: "verify", password: passwordBytes(password), phc })) === true;

  return {
    hash: async (password) => String(await inThread({ kind: "hash", password: passwordBytes(password), parameters })),
    verify,
    verifyNothing: async (password) => {
      await verify(nobody, password);
      return false;
    },
    needsRehash: (phc) => !isMadeWith(parameters, phc),
    requireRoom: admission.requireRoom,
    stats: admission.stats,
    close: () => (closed ??= admission.close().then(() => pool.close())),
  };
}

function createHashPool(threads: number): HashPool {
  const pool: HashPool = new Piscina({
    filename: fileURLToPath(new URL("hash-worker.ts", import.meta.url)),
    name: "runHashTask",
    minThreads: 1,
    maxThreads: threads,
    maxQueue: threads, // Only while threads start: the admission never lets more than `threads` through.
    idleTimeout: idleThreadMilliseconds,
    // On Linux a thread has a niceness of its own; on other Unixes this would slow the whole process.
    niceIncrement: process.platform === "linux" ? 10 : 0,
    env: envOfThreads(),
    recordTiming: false,
  });
  // Of threads without a task. Tasks reject by themselves, and without a listener the process would end.
  pool.on("error", (error: Error) => process.emitWarning(error));
  return pool;
}

/** The threads need no settings, and no secrets: only where compiled code is kept (see main.ts). */
function envOfThreads(): Record<string, string> {
  const { NODE_COMPILE_CACHE: cache } = process.env;
  return cache === undefined ? {} : { NODE_COMPILE_CACHE: cache };
}

async function runInThread(pool: HashPool, task: HashTask, stuckMilliseconds: number): Promise<string | boolean> {
  const stuck = new AbortController();
  const timer = setTimeout(() => stuck.abort(), stuckMilliseconds);
  try {
    return await pool.run(task, { signal: stuck.signal });
  } catch (cause) {
    throw new Problem("busy", { headers: { "Retry-After": "1" }, cause });
  } finally {
    clearTimeout(timer);
  }
}

/** A PHC string with these parameters that no password made: random bytes, so it costs no hash to make. */
function randomPhc({ memoryKibibytes, passes, parallelism }: HashParameters): string {
  const base64 = (bytes: number): string => randomBytes(bytes).toString("base64").replace(/=+$/, "");
  return `$argon2id$v=19$m=${memoryKibibytes},t=${passes},p=${parallelism}$${base64(16)}$${base64(32)}`;
}

function isMadeWith(parameters: HashParameters, phc: string): boolean {
  const made = parsePhc(phc);
  return (
    made !== undefined &&
    Number(made.algorithm) === argon2id &&
    Number(made.version) === argon2Version13 &&
    made.memoryCost === parameters.memoryKibibytes &&
    made.timeCost === parameters.passes &&
    made.parallelism === parameters.parallelism
  );
}

function parsePhc(phc: string): ParsedHashOptions | undefined {
  try {
    return parseOptions(phc);
  } catch {
    return undefined;
  }
}
