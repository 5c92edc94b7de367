import { screenFacts } from "../parts/screen-facts.ts";
import { germanSignInWords } from "./sign-in-words-de.ts";

const englishSignInWords = {
  email: "E-mail address",
  password: "Password",
  passwordRule: (lengthMin: number): string =>
    `At least ${lengthMin} characters, any you like: a few words are easier to remember than signs.`,
  signIn: "Sign in",
  signUp: "Sign up",
  noAccount: "No account yet?",
  hasAccount: "Already have an account?",
  signedInAs: "You are signed in.",
  goOn: "Go on",
  missing: "must not be empty",
  newPassword: "New password",
  newPasswordRule: (lengthMin: number): string =>
    `At least ${lengthMin} characters, and not the one before: somebody else may know that one.`,
  forgot: "Forgot your password?",
  byMail: "Sign in by mail",
  sendAgain: "Send the mail again",
  mailTitle: "A mail is on its way",
  mailText: (email: string): string =>
    `Look into the mail of ${email}: it says how to go on. It can take a minute; look among the unwanted mail, too.`,
  mailElsewhere: "Are you reading it on another device? Then type its code here.",
};
export type SignInWords = typeof englishSignInWords;

export const signInWords: SignInWords = screenFacts.isGerman ? germanSignInWords : englishSignInWords;
