import { json, type ProblemEntries } from "../problem-entry.ts";

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
    example: { as: "user", method: "GET", path: "/admin/users" },
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
    settings: ["LIMIT_LOGIN_ACCOUNT"],
    example: {
      as: "user",
      method: "POST",
      path: "/auth/reauthenticate",
      headers: json,
      body: '{"password":"not the one"}',
    },
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
    example: {
      before: [
        {
          as: "administrator",
          method: "PATCH",
          path: "/admin/users/{{user.id}}",
          headers: json,
          body: '{"disabled":true}',
        },
      ],
      as: "nobody",
      method: "POST",
      path: "/auth/login",
      headers: json,
      body: '{"email":"{{user.email}}","password":"{{user.password}}"}',
    },
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
    example: {
      before: [
        {
          as: "administrator",
          method: "PATCH",
          path: "/admin/users/{{user.id}}",
          headers: json,
          body: '{"password_change_required":true}',
        },
      ],
      as: "nobody",
      method: "POST",
      path: "/auth/login",
      headers: json,
      body: '{"email":"{{user.email}}","password":"{{user.password}}"}',
    },
  },
  // Said only to who has just given the right password.
  "email-not-verified": {
    status: 403,
    title: "Confirm your e-mail address first",
    gate: "authorize",
    detail:
      "The password is right, but nobody has shown yet that the address is theirs. Open the mail that was sent to it.",
    whatHappened:
      "This server lets nobody in before the address is confirmed (EMAIL_VERIFICATION=required). Nothing was changed.",
    causes: ["The mail was not opened yet, or has not arrived.", "Its link was not used in time."],
    cures: [
      "Open the newest mail and press its button, or send its code.",
      "Have another one sent with POST /auth/verification, and look where unwanted mail goes.",
      "As operator: GET /admin/mail tells what became of it.",
    ],
    settings: ["EMAIL_VERIFICATION", "VERIFY_EMAIL_LIFETIME"],
    example: {
      as: "nobody",
      method: "POST",
      path: "/auth/login",
      headers: json,
      body: '{"email":"{{user.email}}","password":"{{user.password}}"}',
      onlyInTest: "The server must let nobody in before the address is confirmed: EMAIL_VERIFICATION=required.",
    },
  },
  // One answer for all reasons: who asked for a mail to another's address must not learn what became of it.
  "wrong-code": {
    status: 403,
    title: "Not the code, or not any more",
    gate: "authorize",
    detail:
      "The code does not fit, or its time or its tries are over. Look at the newest mail, or ask for another one.",
    whatHappened:
      "A code from a mail works once, for ten minutes at most, with the `flow` that the request for that mail was answered with, and stands five tries. Which of these it is, is never said.",
    causes: [
      "A typing mistake.",
      "It is from an older mail.",
      "It was typed on another page or program than the one that asked for the mail.",
      "It was used, or tried five times.",
    ],
    cures: ["Compare it with the newest mail.", "Use the link in the mail instead.", "Ask for another mail."],
    settings: ["MAIL_CODE_LIFETIME"],
    example: {
      as: "nobody",
      method: "POST",
      path: "/auth/verify-email",
      headers: json,
      body: '{"flow":"tgf_of-another-request","code":"ABCD-EFGH"}',
    },
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
    settings: ["PUBLIC_URL"],
    example: {
      as: "nobody",
      method: "POST",
      path: "/auth/refresh",
      // The name of the cookie on this machine; on https it begins with __Host-.
      headers: { ...json, origin: "https://elsewhere.example", cookie: "tollgate_refresh={{user.refresh_token}}" },
      body: "{}",
      notInLab: "A page cannot say that it is another's: the browser writes Origin.",
    },
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
    settings: ["TOLLGATE_MODE"],
    example: {
      as: "nobody",
      method: "POST",
      path: "/dev/faults",
      headers: { ...json, "x-forwarded-for": "203.0.113.7" },
      body: '{"database":"away"}',
    },
  },
} as const satisfies ProblemEntries;
