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

const asked = {
  status: 202,
  description: "If the address has an account, a mail is on its way.",
  schema: AskedBody,
} as const;
const sameForAll = "The answer is the same, in the same time, whether or not the address has an account.";
const linkBody = Type.Object(
  {
    token: Type.String({ minLength: 1, maxLength: 128, description: "From the link in the mail: what follows the #." }),
  },
  { additionalProperties: false, title: "MailLink" },
);
const askBody = (title: string) => Type.Object({ email: EmailMember }, { additionalProperties: false, title });
const proofBody = (title: string) => Type.Object(proofMembers, { additionalProperties: false, title });

/**
 * The flows that go by mail. Nothing happens by opening a link: it opens a page, and its button sends one of these POSTs,
 * so that a program which looks at links uses none up.
 */
export function emailFlowRoutes(platform: Platform): readonly AnyRoute[] {
  return [
    ...verificationRoutes(platform),
    ...resetRoutes(platform),
    ...changeRoutes(platform),
    ...noticeRoutes(platform),
  ];
}

function verificationRoutes(platform: Platform): readonly AnyRoute[] {
  return [
    route({
      method: "POST",
      url: "/auth/verification",
      tag: "Mail",
      summary: "Ask for another mail to confirm an address",
      description: sameForAll,
      access: "public",
      limit: "mail-address",
      body: askBody("VerificationAsk"),
      success: asked,
      problems: ["switched-off"],
      handle: async ({ body, headers, origin }, reply) =>
        askForVerification(platform, body.email, { origin, browser: askingBrowser(platform, headers, reply) }),
    }),
    route({
      method: "POST",
      url: "/auth/verify-email",
      tag: "Mail",
      summary: "Confirm an address",
      access: "public",
      limit: "mail-proof",
      body: proofBody("EmailVerification"),
      rules: proofFaults,
      success: { status: 204, description: "The address is confirmed." },
      problems: ["link-refused", "wrong-code"],
      handle: async ({ body, origin }) => verifyEmail(platform, proofOf(body), origin),
    }),
  ];
}

function resetRoutes(platform: Platform): readonly AnyRoute[] {
  return [
    route({
      method: "POST",
      url: "/auth/forgot-password",
      tag: "Mail",
      summary: "Ask for a mail to choose a new password",
      description: sameForAll,
      access: "public",
      limit: "mail-address",
      body: askBody("ForgottenPassword"),
      success: asked,
      problems: ["switched-off"],
      handle: async ({ body, headers, origin }, reply) =>
        askForReset(platform, body.email, { origin, browser: askingBrowser(platform, headers, reply) }),
    }),
    route({
      method: "POST",
      url: "/auth/reset-password",
      tag: "Mail",
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
    }),
  ];
}

function changeRoutes(platform: Platform): readonly AnyRoute[] {
  return [
    route({
      method: "POST",
      url: "/users/me/email",
      tag: "Mail",
      summary: "Ask for another address of my account",
      description:
        "A mail to that address asks for confirmation; until then nothing changes. The sign-in must be recent.",
      access: "signed-in",
      fresh: true,
      limit: "mail-address",
      body: askBody("EmailChangeAsk"),
      success: { ...asked, description: "A mail to that address is on its way." },
      problems: ["switched-off"],
      handle: async ({ body, caller, headers, origin }, reply) =>
        askToChangeEmail(platform, caller, body.email, { origin, browser: askingBrowser(platform, headers, reply) }),
    }),
    route({
      method: "POST",
      url: "/auth/change-email",
      tag: "Mail",
      summary: "Confirm another address",
      description: "The address before is told, with a way back.",
      access: "public",
      limit: "mail-proof",
      body: proofBody("EmailChange"),
      rules: proofFaults,
      success: { status: 204, description: "The account has the address." },
      problems: ["link-refused", "wrong-code", "email-taken"],
      handle: async ({ body, origin }) => changeEmail(platform, proofOf(body), origin),
    }),
    route({
      method: "POST",
      url: "/auth/undo-email-change",
      tag: "Mail",
      summary: "Take another address back",
      description: "As /auth/not-me, with the address as it was before.",
      access: "public",
      limit: "mail-proof",
      body: linkBody,
      success: { status: 204, description: "The old address counts again; a mail to it lets choose a new password." },
      problems: ["link-refused", "email-taken", "busy"],
      handle: async ({ body, origin }) => undoEmailChange(platform, body.token, origin),
    }),
  ];
}

function noticeRoutes(platform: Platform): readonly AnyRoute[] {
  return [
    route({
      method: "POST",
      url: "/auth/not-me",
      tag: "Mail",
      summary: "Say that something was not my doing",
      description: "Ends all sessions, makes the password unusable, and sends a mail to choose a new one.",
      access: "public",
      limit: "mail-proof",
      body: linkBody,
      success: { status: 204, description: "Everybody is signed out; a mail lets choose a new password." },
      problems: ["link-refused", "busy"],
      handle: async ({ body, origin }) => reportNotMe(platform, body.token, origin),
    }),
  ];
}
