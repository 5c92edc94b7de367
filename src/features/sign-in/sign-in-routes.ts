import { Type } from "typebox";
import type { Platform } from "../../platform/platform.ts";
import { route, type AnyRoute } from "../../platform/http/route.ts";
import { readIdempotencyKey } from "../idempotency/idempotency.ts";
import {
  GivenPassword,
  givenPasswordFaults,
  newAccountFaults,
  newPassword,
  signInFaults,
} from "../passwords/passwords.ts";
import { Delivery, TokensBody, type Sessions } from "../sessions/sessions.ts";
import { logIn, reauthenticate, signUp } from "./sign-in.ts";

const Email = Type.String({ format: "email", maxLength: 320, examples: ["alice@example.com"] });

export function signInRoutes(platform: Platform, sessions: Sessions): readonly AnyRoute[] {
  return [signUpRoute(platform, sessions), loginRoute(platform, sessions), reauthenticateRoute(platform)];
}

function signUpRoute(platform: Platform, sessions: Sessions): AnyRoute {
  const { passwordLengthMin } = platform.config;
  return route({
    method: "POST",
    url: "/users/",
    tag: "Accounts",
    summary: "Sign up",
    description: `Makes an account and signs it in. Passwords need ${passwordLengthMin} characters; any characters will do. With an Idempotency-Key the same request has the same answer for a day, also a refusal that does not say when to come again.`,
    access: "public",
    limit: "sign-up",
    body: Type.Object(
      { email: Email, password: newPassword(platform.config), delivery: Type.Optional(Delivery) },
      { additionalProperties: false, title: "SignUp" },
    ),
    rules: (body) => newAccountFaults(platform, body),
    success: {
      status: 201,
      description: "The account is made; the token is for it. `Location` is its address.",
      schema: TokensBody,
    },
    problems: ["email-taken", "busy", "idempotency-key-reused", "request-in-progress"],
    handle: async ({ body, headers, origin }, reply) => {
      const { accountId, tokens } = await signUp(platform, sessions, body, origin, readIdempotencyKey(headers));
      reply.header("location", `/users/${accountId}`);
      return sessions.deliver(tokens, body.delivery, reply);
    },
  });
}

function loginRoute(platform: Platform, sessions: Sessions): AnyRoute {
  return route({
    method: "POST",
    url: "/auth/login",
    tag: "Sign-in",
    summary: "Sign in with e-mail and password",
    description:
      "An unknown address answers like a wrong password, in the same time. After `password-change-required` the same request with `new_password` changes the password and signs in.",
    access: "public",
    limit: "login-address",
    body: Type.Object(
      {
        email: Email,
        password: GivenPassword,
        new_password: Type.Optional(newPassword(platform.config)),
        delivery: Type.Optional(Delivery),
        device_token: Type.Optional(
          Type.String({ maxLength: 256, description: "Of an earlier sign-in; left out when the cookie brings it." }),
        ),
      },
      { additionalProperties: false, title: "Login" },
    ),
    rules: (body) => signInFaults(platform, body),
    success: { status: 200, description: "Signed in.", schema: TokensBody },
    problems: ["wrong-credentials", "account-disabled", "password-change-required", "busy"],
    handle: async ({ body, headers, origin }, reply) => {
      const { email, password, new_password: nextPassword, delivery } = body;
      const deviceToken = body.device_token ?? sessions.deviceCookie(headers);
      const tokens = await logIn(platform, sessions, { email, password, nextPassword, deviceToken }, origin);
      return sessions.deliver(tokens, delivery, reply);
    },
  });
}

function reauthenticateRoute(platform: Platform): AnyRoute {
  return route({
    method: "POST",
    url: "/auth/reauthenticate",
    tag: "Sign-in",
    summary: "Give the password again",
    description: "Makes the session fresh, for what cannot be undone.",
    access: "signed-in",
    limit: "api",
    body: Type.Object({ password: GivenPassword }, { additionalProperties: false, title: "Reauthentication" }),
    rules: (body) => givenPasswordFaults(body, "password"),
    success: { status: 204, description: "The session is fresh again." },
    problems: ["wrong-password", "busy"],
    handle: async ({ body, caller, origin }) => reauthenticate(platform, caller, body.password, origin),
  });
}
