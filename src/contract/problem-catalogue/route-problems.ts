import { json, type ProblemEntries } from "../problem-entry.ts";

export const routeProblems = {
  "not-found": {
    status: 404,
    title: "No such address",
    gate: "route",
    detail: "There is nothing at this address. See /docs for every route.",
    whatHappened: "The path of the request names nothing that this server has.",
    causes: ["A typing mistake in the path.", "A path of another version, or of another server behind the same name."],
    cures: [
      "Compare the path with the list at /docs.",
      "Look at PUBLIC_URL and at the proxy in front, if all paths answer so.",
    ],
    settings: ["PUBLIC_URL"],
    example: { as: "nobody", method: "GET", path: "/user/me" },
  },
  "method-not-allowed": {
    status: 405,
    title: "Not with this method",
    gate: "route",
    detail: "This address exists, but not for this method. The Allow header lists the methods it has.",
    whatHappened: "The path is known; the method is not one of its own.",
    causes: [
      "A form or a client that sends POST where PUT or PATCH is meant.",
      "DELETE /users/me: an account is deleted by its number.",
    ],
    cures: ["Use one of the methods in the Allow header of the answer.", "Look the route up at /docs."],
    example: { as: "nobody", method: "DELETE", path: "/users/me" },
  },
  "malformed-request": {
    status: 400,
    title: "Not readable as HTTP",
    gate: "route",
    detail: "The request cannot be read in one way only: its address, its Host or its framing is broken.",
    whatHappened: "Something below the level of this API is wrong with the request, so nothing in it was acted upon.",
    causes: [
      "A percent sign in the path that is no escape, as in /%zz.",
      "No Host header, or two of them.",
      "A length that does not agree with the body, or a body that broke off.",
    ],
    cures: [
      "Send the request with an ordinary HTTP client.",
      "Escape the path with encodeURIComponent.",
      "Look at what a proxy in front changes.",
    ],
    example: { as: "nobody", method: "GET", path: "/%zz" },
  },
  "headers-too-large": {
    status: 431,
    title: "Too many header bytes",
    gate: "route",
    detail: "The headers of a request may have 16 KiB in all.",
    whatHappened:
      "The request was refused before its headers were complete, for they are larger than any client needs.",
    causes: ["Cookies that have piled up for this host.", "A token or another value that was put together wrongly."],
    cures: ["Clear the cookies of this host.", "Look at which header is so long."],
    example: { as: "nobody", method: "GET", path: "/", headers: { "x-long": "{{letters.17000}}" } },
  },
  "request-timeout": {
    status: 408,
    title: "The request took too long to arrive",
    gate: "route",
    detail: "The headers must be here within 10 seconds, the whole request within 30.",
    whatHappened: "The connection was open, but the request was never completed.",
    causes: ["A very slow or broken connection.", "A client that opens connections and then waits."],
    cures: ["Send the request again.", "Look at time limits and buffering of a proxy in front."],
    example: {
      as: "nobody",
      method: "POST",
      path: "/users/",
      headers: { ...json, "content-length": "100" },
      body: '{"email":',
      notInLab: "A browser sends what it promises.",
    },
  },
} as const satisfies ProblemEntries;
