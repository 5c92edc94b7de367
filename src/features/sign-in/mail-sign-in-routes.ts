import { Type } from "typebox";
import { route, type AnyRoute } from "../../platform/http/route.ts";
import type { Platform } from "../../platform/platform.ts";
import { AskedBody, EmailMember, proofFaults, proofMembers, proofOf } from "../email-flows/email-flows.ts";
import { askingBrowser } from "../mail/mail.ts";
import { Delivery, type Sessions, TokensBody } from "../sessions/sessions.ts";
import { askForSignIn, signInByMail } from "./mail-sign-in.ts";

/** A way to sign in that is off by default: who reads somebody's mail is then that person here. */
export function mailSignInRoutes(platform: Platform, sessions: Sessions): readonly AnyRoute[] {
  return [
    route({
      method: "POST",
      url: "/auth/magic",
      tag: "Sign-in",
      summary: "Ask for a link and a code to sign in with",
      description: "The answer is the same whether or not the address has an account. Off unless SIGN_IN_BY_MAIL=on.",
      access: "public",
      limit: "mail-address",
      body: Type.Object({ email: EmailMember }, { additionalProperties: false, title: "MagicAsk" }),
      success: { status: 202, description: "If the address has an account, a mail is on its way.", schema: AskedBody },
      problems: ["switched-off"],
      handle: async ({ body, headers, origin }, reply) =>
        askForSignIn(platform, body.email, { origin, browser: askingBrowser(platform, headers, reply) }),
    }),
    route({
      method: "POST",
      url: "/auth/magic/complete",
      tag: "Sign-in",
      summary: "Sign in with what came by mail",
      description: "The token of the link, or the flow of the request for it together with the code.",
      access: "public",
      limit: "mail-proof",
      body: Type.Object(
        {
          ...proofMembers,
          delivery: Type.Optional(Delivery),
          device_token: Type.Optional(Type.String({ maxLength: 256 })),
        },
        { additionalProperties: false, title: "MagicComplete" },
      ),
      rules: proofFaults,
      success: { status: 200, description: "Signed in.", schema: TokensBody },
      problems: ["switched-off", "link-refused", "wrong-code", "account-disabled", "password-change-required", "busy"],
      handle: async ({ body, headers, origin }, reply) => {
        const deviceToken = body.device_token ?? sessions.deviceCookie(headers);
        const tokens = await signInByMail(platform, sessions, { proof: proofOf(body), deviceToken }, origin);
        return sessions.deliver(tokens, body.delivery, reply);
      },
    }),
  ];
}
