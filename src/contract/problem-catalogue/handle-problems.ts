import type { ProblemEntries } from "../problem-entry.ts";

export const handleProblems = {
  // Also for somebody else's id: who may not see an account does not learn that it exists.
  "user-not-found": {
    status: 404,
    title: "No such account",
    gate: "handle",
    detail: "There is no account with this number that you may see.",
    whatHappened: "No account has this number, or it is somebody else's and not yours to see. Both answer the same.",
    causes: [
      "The number is wrong.",
      "The account was deleted.",
      "It is another person's, and your role does not read all accounts.",
    ],
    cures: [
      "Ask for your own with GET /users/me.",
      "With the permission users:read list accounts at GET /admin/users.",
    ],
    exampleRequest: "GET /users/4242 HTTP/1.1\nAuthorization: Bearer <token>",
  },
  "session-not-found": {
    status: 404,
    title: "No such session",
    gate: "handle",
    detail: "You have no living session with this id.",
    whatHappened: "The session has ended already, or was never yours.",
    causes: ["It ended meanwhile.", "The id is not from your own list."],
    cures: ["Read the list again with GET /users/me/sessions."],
    exampleRequest: "DELETE /users/me/sessions/unknown HTTP/1.1\nAuthorization: Bearer <token>",
  },
  "decision-not-found": {
    status: 404,
    title: "No such decision",
    gate: "handle",
    detail: "No refused request with this id is remembered.",
    whatHappened: "The last 10,000 refusals are kept while the server runs; this id is not among them.",
    causes: [
      "The request was not refused.",
      "It was long ago, or before a restart.",
      "The id was cut off: it is `request_id` in the problem and x-request-id in the headers.",
    ],
    cures: ["Look the id up in the log, which has every request."],
    exampleRequest: "GET /admin/decisions/unknown HTTP/1.1\nAuthorization: Bearer <an administrator's token>",
  },
  "problem-unknown": {
    status: 404,
    title: "No such problem",
    gate: "handle",
    detail: "This server answers with no problem of this name. See /errors for all of them.",
    whatHappened: "The catalogue has no entry with this code.",
    causes: ["A typing mistake.", "The code is another version's."],
    cures: ["Choose one from the list at /errors."],
    exampleRequest: "GET /errors/no-such-problem HTTP/1.1",
  },
  "email-taken": {
    status: 409,
    title: "Email already registered",
    gate: "handle",
    detail: "An account with this e-mail address exists. Sign in, or reset the password.",
    whatHappened: "An address can have one account, and this one has it. Capital letters make no difference.",
    causes: ["You signed up before.", "A sign-up was sent twice, and the first one succeeded."],
    cures: ["Sign in with POST /auth/login.", "Use another address."],
    exampleRequest:
      'POST /users/ HTTP/1.1\nContent-Type: application/json\n\n{"email":"alice@example.com","password":"secret"}',
  },
  "request-in-progress": {
    status: 409,
    title: "This very request is under way",
    gate: "handle",
    detail: "A request with this Idempotency-Key is being worked on. Ask again as Retry-After says.",
    whatHappened: "The same key came again before the first request was answered, so nothing was done twice.",
    causes: ["A retry that did not wait for the answer or the end of the connection."],
    cures: [
      "Wait for Retry-After seconds and repeat the request with the same key: the answer is then the first one's.",
    ],
    exampleRequest:
      'POST /users/ HTTP/1.1\nIdempotency-Key: 1\nContent-Type: application/json\n\n{"email":"alice@example.com","password":"secret"}',
  },
  "last-admin": {
    status: 409,
    title: "The last administrator stays",
    gate: "handle",
    detail: "Nobody else could administer this server then. Make another account an administrator's first.",
    whatHappened: "Deleting, disabling or demoting this account would leave the server without an administrator.",
    causes: ["There is only one administrator who is not disabled."],
    cures: [
      "Give another account the role admin with PATCH /admin/users/{id}.",
      "Or on the server: tollgate admin create <email>.",
    ],
    exampleRequest:
      'PATCH /admin/users/1 HTTP/1.1\nAuthorization: Bearer <the only administrator\'s token>\nContent-Type: application/json\n\n{"role":"user"}',
  },
  internal: {
    status: 500,
    title: "A fault of this server",
    gate: "handle",
    detail: "Something went wrong that nobody foresaw. It is in the log under this request id.",
    whatHappened:
      "The server met a condition that its authors did not think of. What was asked for did not happen, or not wholly.",
    causes: ["A bug."],
    cures: ["Tell the operator the request id.", "As operator: look the id up in the log, and report what you find."],
    exampleRequest: "GET / HTTP/1.1",
  },
} as const satisfies ProblemEntries;
