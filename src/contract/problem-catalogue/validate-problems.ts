import { json, type ProblemEntries } from "../problem-entry.ts";

export const validateProblems = {
  "malformed-json": {
    status: 400,
    title: "The body is not JSON",
    gate: "validate",
    detail: "The body cannot be read as JSON in UTF-8.",
    whatHappened:
      "The body says it is JSON, but it breaks off, is no UTF-8, names a member twice or is nested too deep. It was not acted upon.",
    causes: [
      "A missing quote, brace or comma, or single quotes.",
      "A body put together as text rather than by a JSON library.",
      "Quotes that the shell took away.",
    ],
    cures: ["Let a library write it: JSON.stringify, json.dumps.", "In a shell put the body between single quotes."],
    example: {
      as: "nobody",
      method: "POST",
      path: "/auth/login",
      headers: json,
      body: '{"email":"alice@example.com',
    },
  },
  "body-too-large": {
    status: 413,
    title: "The body is too large",
    gate: "validate",
    detail: "A body may have 64 KiB.",
    whatHappened: "Reading stopped at 64 KiB; no route of this server needs more.",
    causes: ["A file, or a very long text, in a member that holds a short one."],
    cures: ["Send only the members that the route names at /docs."],
    example: {
      as: "nobody",
      method: "POST",
      path: "/auth/login",
      headers: json,
      body: '{"email":"{{letters.70000}}"}',
    },
  },
  "unsupported-media-type": {
    status: 415,
    title: "Not this kind of body",
    gate: "validate",
    detail: "Bodies are JSON in UTF-8, uncompressed: send Content-Type: application/json.",
    whatHappened: "The body is of a kind that this server does not read, so it was not looked at.",
    causes: [
      "A form (application/x-www-form-urlencoded) instead of JSON.",
      "curl -d without -H 'content-type: application/json'.",
      "A Content-Encoding such as gzip, or another charset.",
    ],
    cures: ["Send the header Content-Type: application/json and a JSON body."],
    example: {
      as: "nobody",
      method: "POST",
      path: "/auth/login",
      headers: { "content-type": "application/x-www-form-urlencoded" },
      body: "email=alice%40example.com&password=secret",
    },
  },
  "validation-failed": {
    status: 422,
    title: "Some of what you sent is not valid",
    gate: "validate",
    detail: "The list in errors says where each fault is and what must change.",
    whatHappened:
      "What you sent can be read, but breaks a rule of the route. All faults are told at once; nothing was changed.",
    causes: [
      "A member is missing, misspelt or of another type.",
      "A value is too short, too long or not of its format.",
      "A password that is too easy to guess.",
    ],
    cures: [
      "Go through `errors`: `pointer` says where the fault is, `detail` what must change.",
      "`#/email` points to a member of the body, `?limit` to the query, `/id` to the path.",
      "Correct all of them, then send the request again.",
    ],
    settings: ["TOLLGATE_MODE"],
    example: {
      as: "nobody",
      method: "POST",
      path: "/users/",
      headers: json,
      body: '{"email":"nobody","password":"123"}',
    },
  },
  "idempotency-key-reused": {
    status: 422,
    title: "This Idempotency-Key was for something else",
    gate: "validate",
    detail: "The same Idempotency-Key came with another body. Choose a new key for a new request.",
    whatHappened:
      "An Idempotency-Key stands for one request with one body for a day. This body is another one, so nothing was done.",
    causes: ["The client uses one key for several requests.", "The request was changed between two tries."],
    cures: ["Make a new random key for each new request, and use it again only to repeat exactly that one."],
    example: {
      before: [
        {
          as: "nobody",
          method: "POST",
          path: "/users/",
          headers: { ...json, "idempotency-key": "{{random}}" },
          body: '{"email":"lab-{{random}}@example.com","password":"correct horse battery"}',
        },
      ],
      as: "nobody",
      method: "POST",
      path: "/users/",
      headers: { ...json, "idempotency-key": "{{random}}" },
      body: '{"email":"another@example.com","password":"correct horse battery"}',
    },
  },
} as const satisfies ProblemEntries;
