import { json, databaseAway, type ProblemEntries } from "../problem-entry.ts";

export const dependProblems = {
  "database-unavailable": {
    status: 503,
    title: "The database is away",
    gate: "depend",
    detail: "The database does not answer at present. Try again as Retry-After says.",
    whatHappened: "The request needed the database and could not get it. Nothing was changed.",
    causes: [
      "The disk is full or failing.",
      "Another program holds the database for too long.",
      "The file was moved or its rights were changed.",
      "PostgreSQL is away, starts anew, or answers too late.",
    ],
    cures: ["Try again after Retry-After seconds.", "As operator: tollgate doctor says which it is."],
    settings: ["DATABASE_URL"],
    example: {
      before: [databaseAway],
      as: "user",
      method: "GET",
      path: "/users/me",
    },
  },
  "read-only": {
    status: 503,
    title: "The accounts are being moved",
    gate: "depend",
    detail:
      "The accounts are being moved to another database: nothing is written at present. Try again as Retry-After says.",
    whatHappened:
      "An operator moves the accounts to another database. Until that is done no row changes, so that none is lost on the way: signing up or in, refreshing, signing out and every change wait. Reading goes on, also with the tokens that you have.",
    causes: ["tollgate promote is at work.", "It is done, and this server was not yet started on the new database."],
    cures: [
      "Try again after Retry-After seconds; keep your tokens, they are good afterwards.",
      "As operator: see how far tollgate promote is; when it is done, set DATABASE_URL as it says and start the server anew.",
    ],
    settings: ["DATABASE_URL"],
    example: {
      as: "user",
      method: "PATCH",
      path: "/users/me",
      headers: json,
      body: '{"display_name":"Ada"}',
      onlyInTest: "The accounts have to be on the move. The example was made with a database that takes no writes.",
    },
  },
  busy: {
    status: 503,
    title: "Too much to do",
    gate: "depend",
    detail:
      "More passwords are waiting to be checked than this server can check in time. Try again as Retry-After says.",
    whatHappened:
      "Checking a password is made to cost time. The queue for it is bounded, so that those who are signed in never wait; it is full.",
    causes: ["Very many people sign in at once.", "Somebody is trying passwords."],
    cures: [
      "Try again after Retry-After seconds.",
      "As operator: more cores, HASH_THREADS and HASH_QUEUE, or a stricter LIMIT_LOGIN_ADDRESS.",
    ],
    settings: ["HASH_THREADS", "HASH_QUEUE", "HASH_DEADLINE", "ARGON2_MEMORY_KIB", "ARGON2_PASSES"],
    example: {
      as: "nobody",
      times: 3,
      atOnce: true,
      method: "POST",
      path: "/auth/login",
      headers: json,
      body: '{"email":"{{user.email}}","password":"not the one"}',
      onlyInTest:
        "It takes more sign-ins at once than the limits allow to one place. The example was made with a queue for one.",
    },
  },
  "too-many-streams": {
    status: 503,
    title: "Too many streams are open",
    gate: "depend",
    detail: "As many streams are open as this server holds. Close one, or try again as Retry-After says.",
    whatHappened:
      "A stream stays open for as long as somebody looks, so their number is bounded, also for each account.",
    causes: ["The console is open in many windows.", "A client opens streams and does not close them."],
    cures: ["Close other windows of the console.", "Read GET /admin/decisions now and then instead."],
    example: {
      as: "administrator",
      method: "GET",
      path: "/admin/decisions/stream",
      onlyInTest: "Eight streams of the same account have to be open, and stay so. The example was made with these.",
    },
  },
  "not-ready": {
    status: 503,
    title: "Not ready",
    gate: "depend",
    detail: "A part of this server is away. Send requests elsewhere.",
    whatHappened: "The server lives but cannot do its work; `failing` names what is away.",
    causes: ["The database is away.", "The server is stopping."],
    cures: ["Wait: it recovers by itself when the part is back.", "As operator: tollgate doctor."],
    settings: ["DATABASE_URL"],
    example: { before: [databaseAway], as: "nobody", method: "GET", path: "/health/ready" },
  },
} as const satisfies ProblemEntries;
