import { Type } from "typebox";
import { Problem } from "../../contract/problems.ts";
import { asCached } from "../../platform/http/negotiation.ts";
import { route, type AnyRoute } from "../../platform/http/route.ts";
import type { Platform } from "../../platform/platform.ts";
import { rateLimitHeaders } from "../../platform/rate-limit/rate-limit-headers.ts";
import { readIdempotencyKey } from "../idempotency/idempotency.ts";
import { endOtherSessions, endOwnSession, listSessions, SessionListBody, sessionBody } from "./own-sessions.ts";
import { Delivery, type Sessions, TokensBody } from "./sessions.ts";

export function sessionRoutes(platform: Platform, sessions: Sessions): readonly AnyRoute[] {
  return [
    refreshRoute(sessions),
    logoutRoute(platform, sessions),
    ...ownSessionRoutes(platform, sessions),
    jwksRoute(sessions),
  ];
}

function refreshRoute(sessions: Sessions): AnyRoute {
  return route({
    method: "POST",
    url: "/auth/refresh",
    tag: "Sign-in",
    summary: "Get new tokens for a refresh token",
    description:
      "Each use makes the next refresh token and ends this one. Send an Idempotency-Key, chosen before the request: if the answer gets lost, the same token with the same key gets the same answer again, until the new token was used. A used token that comes again in any other way ends the session.",
    access: "public",
    limit: "api",
    body: Type.Object(
      {
        refresh_token: Type.Optional(
          Type.String({ minLength: 1, maxLength: 256, description: "Left out when the cookie brings it." }),
        ),
        delivery: Type.Optional(Delivery),
      },
      { additionalProperties: false, title: "Refresh" },
    ),
    success: {
      status: 200,
      description: "New tokens.",
      schema: TokensBody,
      orNothing: "With `delivery` `cookie`: nobody is signed in in this browser, it has no cookie.",
    },
    problems: ["refresh-refused", "foreign-origin"],
    handle: async ({ body, headers, origin }, reply) => {
      const token = body.refresh_token ?? sessions.refreshCookie(headers);
      // What came in a cookie goes in a cookie: no script of a page can ask it out into a body.
      const delivery = body.refresh_token === undefined ? "cookie" : body.delivery;
      const idempotencyKey = readIdempotencyKey(headers);
      // A page asks this of every visitor. It is no fault that there is nobody, and browsers complain of each 4xx.
      if (token === undefined && body.delivery === "cookie") return void reply.code(204);
      if (token === undefined) {
        const fault = { pointer: "#/refresh_token", detail: "is missing, and no cookie brings one", code: "required" };
        throw new Problem("validation-failed", { members: { errors: [fault] } });
      }
      const { tokens, counted } = await sessions.refresh({ token, idempotencyKey }, origin);
      if (counted) reply.headers(rateLimitHeaders(counted));
      return sessions.deliver(tokens, delivery, reply);
    },
  });
}

function logoutRoute(platform: Platform, sessions: Sessions): AnyRoute {
  return route({
    method: "POST",
    url: "/auth/logout",
    tag: "Sign-in",
    summary: "Sign out",
    description: "The session ends at once, with its access tokens and its refresh token.",
    access: "signed-in",
    limit: "api",
    success: { status: 204, description: "Signed out." },
    problems: [],
    handle: async ({ caller, headers, origin }, reply) => {
      await endOwnSession(platform, caller, caller.sessionId, "signed-out", origin);
      sessions.clearRefreshCookie(caller.sessionId, headers, reply);
    },
  });
}

function ownSessionRoutes(platform: Platform, sessions: Sessions): readonly AnyRoute[] {
  const tag = "Sessions";
  return [
    route({
      method: "GET",
      url: "/users/me/sessions",
      tag,
      summary: "Where am I signed in?",
      access: "signed-in",
      limit: "api",
      success: {
        status: 200,
        description: "The living sessions, last used first; at most 200.",
        schema: SessionListBody,
      },
      problems: [],
      handle: async ({ caller }) => ({
        items: (await listSessions(platform, caller.account.id)).map((session) =>
          sessionBody(session, caller.sessionId),
        ),
      }),
    }),
    route({
      method: "DELETE",
      url: "/users/me/sessions",
      tag,
      summary: "Sign out everywhere else",
      access: "signed-in",
      limit: "api",
      success: { status: 204, description: "All other sessions have ended." },
      problems: [],
      handle: async ({ caller, origin }) => endOtherSessions(platform, caller, origin),
    }),
    route({
      method: "DELETE",
      url: "/users/me/sessions/:id",
      tag,
      summary: "End one session",
      access: "signed-in",
      limit: "api",
      params: Type.Object({ id: Type.String({ maxLength: 64 }) }),
      success: { status: 204, description: "The session has ended." },
      problems: ["session-not-found"],
      handle: async ({ params, caller, headers, origin }, reply) => {
        const wasAlive = await endOwnSession(platform, caller, params.id, "ended-by-owner", origin);
        if (!wasAlive) throw new Problem("session-not-found");
        if (params.id === caller.sessionId) sessions.clearRefreshCookie(caller.sessionId, headers, reply);
      },
    }),
  ];
}

function jwksRoute(sessions: Sessions): AnyRoute {
  return route({
    method: "GET",
    url: "/.well-known/jwks.json",
    tag: "Tokens",
    summary: "The public keys that access tokens are signed with",
    description: "A JWK Set (RFC 7517). With HS256 there is no public key and the set is empty.",
    access: "public",
    limit: "unlimited",
    success: {
      status: 200,
      description: "The keys.",
      schema: Type.Object({ keys: Type.Array(Type.Record(Type.String(), Type.String())) }, { title: "JwkSet" }),
    },
    problems: [],
    handle: async (_request, reply) => {
      const mediaType = "application/json; charset=utf-8";
      const { keys, maxAgeSeconds } = await sessions.publicJwks();
      return asCached(reply, JSON.stringify({ keys }), { mediaType, maxAgeSeconds });
    },
  });
}
