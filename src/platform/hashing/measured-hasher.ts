import type { Measure } from "../telemetry/measure.ts";
import type { PasswordHasher } from "./password-hasher.ts";

/** The same hasher, timed. Verifying nothing counts as verifying: no figure may tell the two apart. */
export function measuredHasher(hasher: PasswordHasher, measure: Measure): PasswordHasher {
  return {
    ...hasher,
    hash: (password) => measure.wait("hash", "hash", () => hasher.hash(password)),
    verify: (phc, password) => measure.wait("hash", "verify", () => hasher.verify(phc, password)),
    verifyNothing: (password) => measure.wait("hash", "verify", () => hasher.verifyNothing(password)),
  };
}
