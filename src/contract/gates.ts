/**
 * The seven gates that every request passes, in this order; the first that refuses decides the answer.
 *
 * One vocabulary everywhere: problems, `Server-Timing`, decisions, log lines, pages.
 */
export const gates = ["route", "limit", "authenticate", "authorize", "validate", "handle", "depend"] as const;

export type Gate = (typeof gates)[number];

/** What each gate asks, in the words that pages and references use. */
export const gateQuestions: Readonly<Record<Gate, string>> = {
  route: "Is there such a resource, and this method on it?",
  limit: "Have you asked too often?",
  authenticate: "Who are you?",
  authorize: "May you?",
  validate: "Is what you sent well formed?",
  handle: "Does it agree with what is stored?",
  depend: "Are database and hash pool there?",
};
