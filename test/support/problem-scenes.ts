import type { ProblemCode } from "../../src/contract/problems.ts";
import { createMemoryDecisionLog } from "../../src/platform/http/decisions.ts";
import type { TestParts } from "./test-server.ts";

/** What has to be so, beyond the requests of an example, for a problem to happen. */
export type Scene = {
  readonly env?: Readonly<Record<string, string>>;
  readonly parts?: TestParts;
  /** So often the request is under way already, and is not answered to its end. */
  readonly heldOpen?: number;
  /** The database takes no writes, as while the accounts are moved. */
  readonly readOnly?: true;
  /** Written as bytes to a socket of a server that waits no longer than it must. */
  readonly overSocket?: true;
};

function fail(): never {
  throw new TypeError("broken on purpose");
}

export const problemScenes: Readonly<Partial<Record<ProblemCode, Scene>>> = {
  "headers-too-large": { overSocket: true },
  "request-timeout": { overSocket: true },
  "read-only": { readOnly: true },
  busy: { env: { HASH_THREADS: "1", HASH_QUEUE: "1" } },
  // Its keys would sign the tokens of the examples after it.
  "rotation-pending": {},
  "nothing-to-rotate": { env: { TOKEN_ALGORITHM: "HS256" } },
  "too-many-streams": { heldOpen: 8 },
  "email-not-verified": { env: { EMAIL_VERIFICATION: "required" } },
  internal: { parts: { decisions: { ...createMemoryDecisionLog(1), find: fail } } },
};
