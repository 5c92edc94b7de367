import { Type } from "typebox";
import type { Platform } from "../../platform/platform.ts";
import { route, type AnyRoute } from "../../platform/http/route.ts";
import { EmailMember } from "../email-flows/email-flows.ts";
import { GivenPassword, givenPasswordFaults, newPassword, signInFaults } from "../passwords/passwords.ts";
import { Delivery, TokensBody, type Sessions } from "../sessions/sessions.ts";
import { logIn, reauthenticate } from "./sign-in.ts";

export function signInRoutes(platform: Platform, sessions: Sessions): readonly AnyRoute[] {
  return [loginRoute(platform, sessions), reauthenticateRoute(platform)];
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
        email: EmailMember,
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
    problems: ["wrong-credentials", "account-disabled", "email-not-verified", "password-change-required", "busy"],
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
