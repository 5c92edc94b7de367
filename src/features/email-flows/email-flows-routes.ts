import { Type } from "typebox";
import { route, type AnyRoute } from "../../platform/http/route.ts";
import type { Platform } from "../../platform/platform.ts";
import { askingBrowser } from "../mail/mail.ts";
import { chosenPasswordMemberFaults, newPassword } from "../passwords/passwords.ts";
import { askToChangeEmail, changeEmail } from "./change-email.ts";
import { AskedBody, EmailMember, proofFaults, proofMembers, proofOf } from "./email-flows.ts";
import { reportNotMe, undoEmailChange } from "./not-me.ts";
import { askForReset, resetPassword } from "./reset-password.ts";
import { askForVerification, verifyEmail } from "./verify-email.ts";

const sameForAll = "The answer is the same, in the same time, whether or not the address has an account.";

/**
 * The flows that go by mail. Nothing happens by opening a link: it opens a page, and its button sends one of these POSTs,
 * so that a program which looks at links uses none up.
 */
export function emailFlowRoutes(platform: Platform): readonly AnyRoute[] {
  return [
    ...askRoutes(platform),
    changeAskRoute(platform),
    ...proofRoutes(platform),
    resetRoute(platform),
    ...linkRoutes(platform),
  ];
}

const tag = "Mail";
const askBody = (title: string) => Type.Object({ email: EmailMember }, { additionalProperties: false, title });

/** Anybody may ask for these, for any address. */
function askRoutes(platform: Platform): readonly AnyRoute[] {
  const ask = (url: string, summary: string, title: string, send: typeof askForReset) =>
    route({
      method: "POST",
      url,
      tag,
      summary,
      description: sameForAll,
      access: "public",
      limit: "mail-address",
      body: askBody(title),
      success: { status: 202, description: "If the address has an account, a mail is on its way.", schema: AskedBody },
      problems: ["switched-off"],
      handle: async ({ body, headers, origin }, reply) =>
        send(platform, body.email, { origin, browser: askingBrowser(platform, headers, reply) }),
    });
  return [
    ask("/auth/verification", "Ask for another mail to confirm an address", "VerificationAsk", askForVerification),
    ask("/auth/forgot-password", "Ask for a mail to choose a new password", "ForgottenPassword", askForReset),
  ];
}

function changeAskRoute(platform: Platform): AnyRoute {
  return route({
    method: "POST",
    url: "/users/me/email",
    tag,
    summary: "Ask for another address of my account",
    description:
      "A mail to that address asks for confirmation; until then nothing changes. The sign-in must be recent.",
    access: "signed-in",
    fresh: true,
    limit: "mail-address",
    body: askBody("EmailChangeAsk"),
    success: { status: 202, description: "A mail to that address is on its way.", schema: AskedBody },
    problems: ["switched-off"],
    handle: async ({ body, caller, headers, origin }, reply) =>
      askToChangeEmail(platform, caller, body.email, { origin, browser: askingBrowser(platform, headers, reply) }),
  });
}

/** What a link or a code does, once. */
function proofRoutes(platform: Platform): readonly AnyRoute[] {
  const door = {
    method: "POST",
    tag,
    access: "public",
    limit: "mail-proof",
    rules: proofFaults,
  } as const;
  const proofBody = (title: string) => Type.Object(proofMembers, { additionalProperties: false, title });
  return [
    route({
      ...door,
      url: "/auth/verify-email",
      summary: "Confirm an address",
      body: proofBody("EmailVerification"),
      success: { status: 204, description: "The address is confirmed." },
      problems: ["link-refused", "wrong-code"],
      handle: async ({ body, origin }) => verifyEmail(platform, proofOf(body), origin),
    }),
    route({
      ...door,
      url: "/auth/change-email",
      summary: "Confirm another address",
      description: "The address before is told, with a way back.",
      body: proofBody("EmailChange"),
      success: { status: 204, description: "The account has the address." },
      problems: ["link-refused", "wrong-code", "email-taken"],
      handle: async ({ body, origin }) => changeEmail(platform, proofOf(body), origin),
    }),
  ];
}

function resetRoute(platform: Platform): AnyRoute {
  return route({
    method: "POST",
    url: "/auth/reset-password",
    tag,
    summary: "Choose a new password with what came by mail",
    description: "Ends all sessions and starts none: POST /auth/login signs in with it.",
    access: "public",
    limit: "mail-proof",
    body: Type.Object(
      { ...proofMembers, new_password: newPassword(platform.config) },
      { additionalProperties: false, title: "PasswordReset" },
    ),
    rules: (body) => [...proofFaults(body), ...chosenPasswordMemberFaults(platform, body)],
    success: { status: 204, description: "The password is the new one." },
    problems: ["link-refused", "wrong-code", "busy"],
    handle: async ({ body, origin }) => resetPassword(platform, proofOf(body), body.new_password, origin),
  });
}

/** What only a link does: nobody asked for it, so nobody holds the flow of a code. */
function linkRoutes(platform: Platform): readonly AnyRoute[] {
  const token = Type.String({
    minLength: 1,
    maxLength: 128,
    description: "From the link in the mail: what follows the #.",
  });
  const door = {
    method: "POST",
    tag,
    access: "public",
    limit: "mail-proof",
    body: Type.Object({ token }, { additionalProperties: false, title: "MailLink" }),
  } as const;
  return [
    route({
      ...door,
      url: "/auth/undo-email-change",
      summary: "Take another address back",
      description: "As /auth/not-me, with the address as it was before.",
      success: { status: 204, description: "The old address counts again; a mail to it lets choose a new password." },
      problems: ["link-refused", "email-taken", "busy"],
      handle: async ({ body, origin }) => undoEmailChange(platform, body.token, origin),
    }),
    route({
      ...door,
      url: "/auth/not-me",
      summary: "Say that something was not my doing",
      description: "Ends all sessions, makes the password unusable, and sends a mail to choose a new one.",
      success: { status: 204, description: "Everybody is signed out; a mail lets choose a new password." },
      problems: ["link-refused", "busy"],
      handle: async ({ body, origin }) => reportNotMe(platform, body.token, origin),
    }),
  ];
}
