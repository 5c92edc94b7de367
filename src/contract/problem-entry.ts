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
  /** The settings that decide about it, by their names. */
  readonly settings?: readonly string[];
  /**
   * Gets this very answer: `npm run reference` sends it to a real server and keeps what came back in
   * docs/reference/problem-examples.json, where the page finds it. If requests alone cannot lead there, the scene is
   * set in test/support/problem-scenes.ts.
   */
  readonly example: ProblemExample;
};

/**
 * A request of an example, in the words of docs/learn/README.md: `{{user.email}}` and the like stand for what the
 * sender's accounts have, `{{random}}` for one new text in the whole example, `{{letters.17000}}` for so many letters.
 */
export type ExampleRequest = {
  /** Who sends it: with a token of that account, or with none. An answer with a `token` gives it another one. */
  readonly as: "nobody" | "user" | "administrator";
  /** How often it is sent; the last answer counts. */
  readonly times?: number;
  /** Sent so often without waiting; that one of the answers counts which is the problem. */
  readonly atOnce?: true;
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  readonly path: string;
  /** By lower-case names; all but Host and, if there is a token, Authorization. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
};

export type ProblemExample = ExampleRequest & {
  /** What is sent first. */
  readonly before?: readonly ExampleRequest[];
  /** Why the Lab, a page in a browser, cannot send it. */
  readonly notInLab?: string;
  /** Why no requests lead here without the scene: not even those of curl. */
  readonly onlyInTest?: string;
};

export type ProblemEntries = Readonly<Record<string, ProblemEntry>>;

export const json = { "content-type": "application/json" } as const;

/** The switches of development, which make some of the examples possible. */
export const clockAhead: ExampleRequest = {
  as: "nobody",
  method: "POST",
  path: "/dev/clock",
  headers: json,
  body: '{"advance_seconds":960}',
};
export const databaseAway: ExampleRequest = {
  as: "nobody",
  method: "POST",
  path: "/dev/faults",
  headers: json,
  body: '{"database":"away"}',
};
