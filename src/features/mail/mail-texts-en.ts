import type { MailTexts } from "./mail-texts.ts";

export const englishTexts: MailTexts = {
  mails: {
    "verify-email": {
      subject: "Confirm your e-mail address",
      title: "Is this your address?",
      paragraphs: ["Somebody, you we hope, made an account at {product} with {email}."],
      button: "Confirm the address",
      after: ["If it was not you, leave this mail alone and do not confirm anything."],
    },
    "account-exists": {
      subject: "You have an account already",
      title: "You have an account already",
      paragraphs: [
        "Somebody, you we hope, gave {email} at {product} as the address of a new account. It has an account already, so nothing was changed.",
        "If you do not remember the password, choose a new one on the page for signing in.",
      ],
      button: "Sign in",
      after: ["If it was not you, there is nothing to do."],
    },
    "reset-password": {
      subject: "Choose a new password",
      title: "Choose a new password",
      paragraphs: ["Somebody, you we hope, has forgotten the password of the account {email} at {product}."],
      button: "Choose a new password",
      after: ["If it was not you, there is nothing to do: the old password stays."],
    },
    "sign-in": {
      subject: "Sign in to {product}",
      title: "Sign in",
      paragraphs: ["Somebody, you we hope, wants to sign in to {product} as {email}."],
      button: "Sign in",
      after: ["If it was not you, there is nothing to do. Give nobody the link or the code."],
    },
    "change-email": {
      subject: "Confirm your new e-mail address",
      title: "Is this your new address?",
      paragraphs: ["The account {email} at {product} is to have the address {newEmail} from now on."],
      button: "Use this address",
      after: ["If you know nothing of it, leave this mail alone and do not confirm anything."],
    },
    "email-changed": {
      subject: "Your e-mail address was changed",
      title: "Your e-mail address was changed",
      paragraphs: [
        "The account {email} at {product} has another address now: {newEmail}.",
        "If you did this, there is nothing to do. If you did not, take it back: the old address counts again, everybody is signed out, and you choose a new password.",
      ],
      button: "Take it back",
    },
    "email-confirmed": {
      subject: "This is your address now",
      title: "This is your address now",
      paragraphs: ["Your account at {product} has the address {email} from now on. It had another one before."],
    },
    "new-device": {
      subject: "Somebody signed in on a new device",
      title: "Was this you?",
      paragraphs: [
        "Somebody signed in to {product} as {email}, from a place that we have not seen before.",
        "If it was you, there is nothing to do. If it was not, say so: everybody is signed out, the password no longer works, and you choose a new one.",
      ],
      button: "This was not me",
    },
    "password-changed": {
      subject: "Your password was changed",
      title: "Your password was changed",
      paragraphs: [
        "The account {email} at {product} has a new password.",
        "If you chose it, there is nothing to do. If you did not, say so: everybody is signed out, that password no longer works, and you choose another one.",
      ],
      button: "This was not me",
    },
    "refresh-reused": {
      subject: "We ended one of your sessions",
      title: "We ended one of your sessions",
      paragraphs: [
        "A key of your session at {product} was used twice, so somebody else may have a copy of it. We signed that session out; sign in again where you need it.",
        "If there are signs that somebody was in your account ({email}), say so: everybody is signed out, the password no longer works, and you choose a new one.",
      ],
      button: "Secure my account",
    },
    trial: {
      subject: "A trial mail of {product}",
      title: "It works",
      paragraphs: ["This mail was sent by the command tollgate doctor --mail. Nothing happened to any account."],
    },
  },
  layout: {
    buttonIsGoodFor: "The button works once, within {lifetime}.",
    linkInstead: "If it does not, open this address:",
    codeInstead: "On another device type this code where you asked for this mail. It is good for {lifetime}.",
    asked: "Asked for on {time}, with {device}, from {address}.",
    happened: "It happened on {time}, with {device}, from {address}.",
    why: "You get this mail because of the address {email} at {product}.",
    questions: "Questions? Write to {replyTo}.",
  },
  unknownDevice: "an unknown program",
  programOnSystem: "{program} on {system}",
};
