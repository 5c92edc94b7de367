import { json, clockAhead, type ProblemEntries } from "../problem-entry.ts";

export const authenticateProblems = {
  "token-missing": {
    status: 401,
    title: "No token was sent",
    gate: "authenticate",
    detail: "This needs an access token: sign in, then send it as Authorization: Bearer <token>.",
    whatHappened: "The route is for people who are signed in, and the request says nothing about who is asking.",
    causes: [
      "No Authorization header, or one of another scheme than Bearer.",
      "The token was sent in the address or in the body, where it is not read.",
      "A redirect to another host, at which clients leave the header out.",
    ],
    cures: [
      "Sign in with POST /auth/login and take `token` from the answer.",
      "Send the header Authorization: Bearer, a space, and the token.",
    ],
    example: { as: "nobody", method: "GET", path: "/users/me" },
  },
  "token-invalid": {
    status: 401,
    title: "Not a token of this server",
    gate: "authenticate",
    detail: "The access token is not one that this server made for itself. Sign in again.",
    whatHappened:
      "The text after Bearer is no genuine access token: its form, its signature, its issuer or its kind is wrong.",
    causes: [
      "The token was cut off, changed or joined with something else.",
      "It is a refresh token, or a token of another server.",
      "PUBLIC_URL, the issuer of tokens, was changed since.",
    ],
    cures: [
      "Sign in again and send `token` as it is.",
      "Compare the `iss` of the token with PUBLIC_URL.",
      "As operator: tollgate keys list shows the keys there are.",
    ],
    settings: ["PUBLIC_URL", "TOKEN_ALGORITHM"],
    example: {
      as: "nobody",
      method: "GET",
      path: "/users/me",
      headers: { authorization: "Bearer eyJhbGciOiJub25lIn0.e30." },
    },
  },
  "token-expired": {
    status: 401,
    title: "The token has expired",
    gate: "authenticate",
    detail: "The access token is genuine, but its time is over. Refresh it, or sign in again.",
    whatHappened:
      "An access token lives for minutes, so that a lost one is soon worth nothing. This one is past its `exp`.",
    causes: ["It was kept longer than `expires_in` said.", "The clock of the machine that checks or made it is wrong."],
    cures: [
      "Send the refresh token to POST /auth/refresh.",
      "Refresh before `expires_in` is over rather than after a 401.",
      "Set the clocks by NTP.",
    ],
    settings: ["ACCESS_TOKEN_LIFETIME"],
    example: {
      before: [clockAhead],
      as: "user",
      method: "GET",
      path: "/users/me",
    },
  },
  // One answer for four conditions, on purpose: who holds a token learns no more about the account.
  "session-ended": {
    status: 401,
    title: "The session is over",
    gate: "authenticate",
    detail: "The session of this token has ended. Sign in again.",
    whatHappened:
      "The token is genuine and its time has not come, but each request reads the session behind it, and that one is over.",
    causes: [
      "Somebody signed out, here or from the list of sessions.",
      "The password was changed elsewhere.",
      "The account was disabled or deleted.",
    ],
    cures: ["Sign in again.", "If you did not do this yourself: change the password, and look at your sessions."],
    settings: ["SESSION_LIFETIME"],
    example: {
      before: [{ as: "user", method: "POST", path: "/auth/logout" }],
      as: "user",
      method: "GET",
      path: "/users/me",
    },
  },
  "reauthentication-required": {
    status: 401,
    title: "Give your password again",
    gate: "authenticate",
    detail:
      "What cannot be undone needs a recent proof of who you are: send your password to POST /auth/reauthenticate, then ask again.",
    whatHappened:
      "The session is alive, but its last sign-in is too long ago for an action that cannot be undone (RFC 9470).",
    causes: ["More time has passed since the sign-in than REAUTHENTICATION_AGE allows, 15 minutes by default."],
    cures: [
      "Ask the person for the password, send it to POST /auth/reauthenticate, repeat the request.",
      "Or sign in again.",
    ],
    settings: ["REAUTHENTICATION_AGE"],
    example: {
      before: [
        clockAhead,
        {
          as: "user",
          method: "POST",
          path: "/auth/refresh",
          headers: json,
          body: '{"refresh_token":"{{user.refresh_token}}"}',
        },
      ],
      as: "user",
      method: "DELETE",
      path: "/users/{{user.id}}",
    },
  },
  // Which half was wrong is nobody's business: an unknown address answers the same, in the same time.
  "wrong-credentials": {
    status: 401,
    title: "Wrong e-mail or password",
    gate: "authenticate",
    detail: "This e-mail address and this password do not belong together.",
    whatHappened: "There is no account with this address and this password. Which of the two is wrong is never said.",
    causes: [
      "A typing mistake, or another keyboard layout.",
      "Another address than the one of the sign-up.",
      "The password was changed.",
    ],
    cures: ["Try again with care.", "Sign up if there is no account yet.", "Ask an administrator for help."],
    settings: ["LIMIT_LOGIN_ACCOUNT"],
    example: {
      as: "nobody",
      method: "POST",
      path: "/auth/login",
      headers: json,
      body: '{"email":"{{user.email}}","password":"not the one"}',
    },
  },
  "refresh-refused": {
    status: 401,
    title: "Not refreshed: sign in again",
    gate: "authenticate",
    detail: "This refresh token gives no new tokens; the member reason says why. Sign in again.",
    whatHappened:
      "A refresh token works once; using it gives the next one. `unknown`: never one of ours, or long gone. `expired`: its session was idle too long or reached its end. `revoked`: its session had ended. `reused`: it had been used before, by somebody who is not asking now, so the whole session was ended; only a late copy of the very request that used it, with its Idempotency-Key, ends nothing.",
    causes: [
      "The client kept the old refresh token instead of the new one.",
      "Two copies of one client use the same token.",
      "Somebody stole the token: then one of the two users of it is told here.",
    ],
    cures: [
      "Sign in again.",
      "Keep the newest refresh token before using it, and send an Idempotency-Key, so that a lost answer can be asked for again.",
      "After `reused`, if there is a newer refresh token: ask with that. `revoked` then says that the session is over.",
      "After `reused` that you cannot explain: change the password.",
    ],
    settings: ["SESSION_LIFETIME", "SESSION_IDLE_LIFETIME", "REFRESH_OVERLAP"],
    example: {
      as: "nobody",
      method: "POST",
      path: "/auth/refresh",
      headers: json,
      body: '{"refresh_token":"tgr_of-another-server"}',
    },
  },
  "two-credentials": {
    status: 400,
    title: "Two credentials at once",
    gate: "authenticate",
    detail: "Send one access token, in one Authorization header, and none in the address.",
    whatHappened: "The request brings more than one token, so it is not clear who is asking (RFC 6750 §2).",
    causes: ["A library adds the header that the code sets too.", "An old client that also sends ?access_token=."],
    cures: [
      "Send the token once, in the Authorization header.",
      "Take it out of the address, where logs and histories keep it.",
    ],
    example: { as: "user", method: "GET", path: "/users/me?access_token={{user.token}}" },
  },
} as const satisfies ProblemEntries;
