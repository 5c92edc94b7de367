import type { Gate } from "./gates.ts";

/** A problem as it is answered, shown on its page and written into the reference. */
export type ProblemEntry = {
  readonly status: number;
  readonly title: string;
  readonly gate: Gate;
  /** What the client reads when the throwing place says nothing more exact. */
  readonly detail: string;
  /** The page's text, one paragraph. */
  readonly whatHappened: string;
  readonly causes: readonly string[];
  /** What to do, in the order to try it. */
  readonly cures: readonly string[];
  /** An HTTP request, as text, that gets this answer. */
  readonly exampleRequest: string;
  /** Members that this problem adds to the standard ones, as an example. */
  readonly exampleMembers?: Readonly<Record<string, unknown>>;
};

export type ProblemEntries = Readonly<Record<string, ProblemEntry>>;
