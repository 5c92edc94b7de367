import { limitNames, limitSettingName } from "../limits.ts";
import type { ProblemEntries } from "../problem-entry.ts";

export const limitProblems = {
  "too-many-requests": {
    status: 429,
    title: "Asked too often",
    gate: "limit",
    detail: "This limit is used up. Wait as long as Retry-After says, then ask again.",
    whatHappened:
      "A limit counts accepted requests in a sliding window, and this one is full. The refused request was not counted: waiting as many seconds as Retry-After says is enough, and a second less is not.",
    causes: [
      "A loop or a retry without a pause.",
      "Many clients that share one address, or one client_id.",
      "Behind a proxy: TRUSTED_PROXIES does not name it, so everybody counts as the proxy.",
      "For login-account: wrong passwords. Those of strangers to an account count together; a client that has signed in before is counted apart.",
    ],
    cures: [
      "Wait for Retry-After seconds; show people a countdown.",
      "Read RateLimit on every answer and slow down before it reaches 0.",
      "As operator: the setting LIMIT_… of the limit that the answer names, or TRUSTED_PROXIES.",
    ],
    settings: [...limitNames.map(limitSettingName), "TRUSTED_PROXIES"],
    example: { as: "nobody", times: 6, method: "GET", path: "/users/limited?client_id={{random}}" },
  },
} as const satisfies ProblemEntries;
