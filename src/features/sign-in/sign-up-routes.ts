import { Type } from "typebox";
import { preferredLanguage } from "../../platform/http/negotiation.ts";
import { route, type AnyRoute } from "../../platform/http/route.ts";
import type { Platform } from "../../platform/platform.ts";
import { AskedBody, EmailMember } from "../email-flows/email-flows.ts";
import { readIdempotencyKey } from "../idempotency/idempotency.ts";
import { askingBrowser } from "../mail/mail.ts";
import { newAccountFaults, newPassword } from "../passwords/passwords.ts";
import { Delivery, type Sessions, TokensBody } from "../sessions/sessions.ts";
import { signUp, signUpSilently } from "./sign-up.ts";

/** One of two, as EMAIL_VERIFICATION says: a server answers in one way only. */
export function signUpRoutes(platform: Platform, sessions: Sessions): readonly AnyRoute[] {
  const { emailVerification } = platform.config.mail;
  return [emailVerification === "required" ? silentSignUpRoute(platform) : signUpRoute(platform, sessions)];
}

const common = { method: "POST", url: "/users/", tag: "Accounts", summary: "Sign up", access: "public" } as const;

function signUpBody({ config }: Platform) {
  return Type.Object(
    { email: EmailMember, password: newPassword(config), delivery: Type.Optional(Delivery) },
    { additionalProperties: false, title: "SignUp" },
  );
}

function signUpRoute(platform: Platform, sessions: Sessions): AnyRoute {
  return route({
    ...common,
    description: `Makes an account and signs it in. Passwords need ${platform.config.passwordLengthMin} characters; any characters will do. With an Idempotency-Key the same request has the same answer for a day, also a refusal that does not say when to come again. With EMAIL_VERIFICATION=required the answer is 202 for everybody, as for POST /auth/verification.`,
    limit: "sign-up",
    body: signUpBody(platform),
    rules: (body) => newAccountFaults(platform, body),
    success: {
      status: 201,
      description: "The account is made; the token is for it. `Location` is its address.",
      schema: TokensBody,
    },
    problems: ["email-taken", "busy", "idempotency-key-reused", "request-in-progress"],
    handle: async ({ body, headers, origin }, reply) => {
      const asking = { origin, browser: askingBrowser(platform, headers, reply) };
      const { accountId, tokens } = await signUp(platform, sessions, signUpOf(body, headers), asking);
      reply.header("location", `/users/${accountId}`);
      return sessions.deliver(tokens, body.delivery, reply);
    },
  });
}

function silentSignUpRoute(platform: Platform): AnyRoute {
  return route({
    ...common,
    description: `Sends a mail to the address, whether or not it has an account: the answer is the same. Passwords need ${platform.config.passwordLengthMin} characters; any characters will do. When the address is confirmed, POST /auth/login signs in.`,
    limit: "sign-up",
    body: signUpBody(platform),
    rules: (body) => newAccountFaults(platform, body),
    success: { status: 202, description: "A mail says how to go on.", schema: AskedBody },
    problems: ["busy", "idempotency-key-reused", "request-in-progress"],
    handle: async ({ body, headers, origin }, reply) => {
      const asking = { origin, browser: askingBrowser(platform, headers, reply) };
      return signUpSilently(platform, signUpOf(body, headers), asking);
    },
  });
}

function signUpOf(
  { email, password }: { readonly email: string; readonly password: string },
  headers: Parameters<typeof preferredLanguage>[0],
): Parameters<typeof signUpSilently>[1] {
  const [locale, idempotencyKey] = [preferredLanguage(headers), readIdempotencyKey(headers)];
  return { email, password, locale, idempotencyKey };
}
