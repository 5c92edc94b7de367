/** What runs in a hash thread. The synchronous functions: the thread has nothing else to do. */
import { hashSync, verifySync } from "@node-rs/argon2";
import type { HashParameters } from "./password-hasher.ts";

export type HashTask =
  | { readonly kind: "hash"; readonly password: Uint8Array; readonly parameters: HashParameters }
  | { readonly kind: "verify"; readonly password: Uint8Array; readonly phc: string };

/** Values of enums of @node-rs/argon2, which are ambient and const, so that type stripping cannot read them. */
export const argon2id = 2;
export const argon2Version13 = 1;

/** A PHC string for "hash"; whether the password made the string for "verify", false for a malformed one. */
export function runHashTask(task: HashTask): string | boolean {
  return task.kind === "hash" ? hash(task.password, task.parameters) : verify(task.phc, task.password);
}

function hash(password: Uint8Array, parameters: HashParameters): string {
  return hashSync(password, {
    algorithm: argon2id,
    version: argon2Version13,
    memoryCost: parameters.memoryKibibytes,
    timeCost: parameters.passes,
    parallelism: parameters.parallelism,
  });
}

function verify(phc: string, password: Uint8Array): boolean {
  try {
    return verifySync(phc, password);
  } catch {
    return false; // Not a PHC string of argon2.
  }
}
