import type { ProblemEntries } from "../problem-entry.ts";

export const authorizeProblems = {
  "permission-denied": {
    status: 403,
    title: "Not allowed",
    gate: "authorize",
    detail: "Your role does not have the permission that this needs.",
    whatHappened: "We know who is asking, and this is not theirs to do. `missing_permission` names what they lack.",
    causes: ["The account is an ordinary user's.", "Its role was changed a moment ago: that takes effect at once."],
    cures: [
      "Ask an administrator for another role.",
      "As operator: tollgate admin create <email> makes an account an administrator's.",
    ],
    exampleRequest: "GET /admin/users HTTP/1.1\nAuthorization: Bearer <a user's token>",
    exampleMembers: { missing_permission: "users:read" },
  },
  "wrong-password": {
    status: 403,
    title: "Wrong password",
    gate: "authorize",
    detail: "This is not your present password, so nothing was changed.",
    whatHappened: "You are signed in, but the password given as proof is not the account's.",
    causes: ["A typing mistake.", "The password was changed meanwhile, in another place."],
    cures: [
      "Try again; wrong passwords are counted.",
      "Signed in elsewhere you can see and end sessions at GET /users/me/sessions.",
    ],
    exampleRequest:
      'POST /auth/reauthenticate HTTP/1.1\nAuthorization: Bearer <token>\nContent-Type: application/json\n\n{"password":"not the one"}',
  },
  // Said only to who has just given the right password.
  "account-disabled": {
    status: 403,
    title: "The account is disabled",
    gate: "authorize",
    detail: "An administrator has disabled this account.",
    whatHappened: "The e-mail address and the password are right, but the account may not sign in at present.",
    causes: ["An administrator disabled it."],
    cures: ["Ask an administrator to enable it again."],
    exampleRequest:
      'POST /auth/login HTTP/1.1\nContent-Type: application/json\n\n{"email":"alice@example.com","password":"the right one"}',
  },
  // Said only to who has just given the right password.
  "password-change-required": {
    status: 403,
    title: "Choose a new password",
    gate: "authorize",
    detail: "The password is right, but it must be changed: send it again together with new_password.",
    whatHappened:
      "An administrator has marked this password as one that somebody else may know. It lets nobody in; changing it and signing in are one request.",
    causes: ["The password was seen in a leak, or shared, or used from a place that is not yours."],
    cures: [
      "Send the same sign-in with `new_password`: a password that you use nowhere else, and not the old one.",
      "If that is refused because the old password is wrong: somebody else was quicker. Ask an administrator.",
    ],
    exampleRequest:
      'POST /auth/login HTTP/1.1\nContent-Type: application/json\n\n{"email":"alice@example.com","password":"the one that leaked"}',
  },
  "foreign-origin": {
    status: 403,
    title: "Not from a page of this server",
    gate: "authorize",
    detail: "A cookie is only taken from pages of this server's own origin.",
    whatHappened:
      "The refresh token came as a cookie, which browsers also send for pages of others; the request does not show that it is from one of ours.",
    causes: [
      "A page of another origin made the request.",
      "PUBLIC_URL is not the origin at which people see this server.",
      "A client that is no browser copied the cookie.",
    ],
    cures: ["Compare PUBLIC_URL with the address bar.", "Outside of browsers send `refresh_token` in the body."],
    // The name of the cookie on https; plain http on this machine has it without __Host-.
    exampleRequest:
      "POST /auth/refresh HTTP/1.1\nOrigin: https://elsewhere.example\nCookie: __Host-tollgate_refresh=tgr_…\nContent-Type: application/json\n\n{}",
  },
  "not-this-machine": {
    status: 403,
    title: "Only from this machine",
    gate: "authorize",
    detail: "The switches under /dev answer only to programs on this machine and to the pages of this server.",
    whatHappened:
      "In development the server has switches that break things on purpose. They turn for nobody but the person in front of it, and the request came another way. In production there are none.",
    causes: [
      "The request came from another machine, or through a proxy or a tunnel.",
      "The server was asked by another name than localhost, 127.0.0.1 or [::1].",
      "A page of another origin made the request; another port is another origin.",
    ],
    cures: [
      "Ask at http://localhost:8000, with the port of this server, from the machine it runs on.",
      "From a program leave Origin out; from a page use the Lab.",
    ],
    exampleRequest:
      'POST /dev/faults HTTP/1.1\nOrigin: https://elsewhere.example\nContent-Type: application/json\n\n{"database":"away"}',
  },
} as const satisfies ProblemEntries;
