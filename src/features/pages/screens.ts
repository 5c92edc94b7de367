import type { Config } from "../../config.ts";

/** A page that is made by its script: what it is called, and what stands there until the script has run. */
export type Screen = {
  readonly path: string;
  /** Other addresses below it that the script tells apart, as `/console/users`. */
  readonly paths?: readonly string[];
  readonly title: string;
  /** One sentence, read by everybody and by search engines. */
  readonly lead: string;
  /** The entry in web/vite.config.ts. */
  readonly script: string;
  /** The place in the main navigation that it belongs to. */
  readonly place: string;
  /** Title and lead in German, where the script knows German, too. */
  readonly german?: { readonly title: string; readonly lead: string };
  /** Where the page is there at all. */
  readonly isThere?: (config: Config) => boolean;
};

export const screens: readonly Screen[] = [
  {
    path: "/lab",
    title: "Lab",
    lead: "Send real requests to this very server, and watch how far through the gates they get.",
    script: "lab",
    place: "/lab",
  },
  {
    path: "/sign-in",
    title: "Sign in",
    lead: "With the e-mail address and the password of your account.",
    german: { title: "Anmelden", lead: "Mit der E-Mail-Adresse und dem Passwort deines Kontos." },
    script: "sign-in",
    place: "/account",
  },
  {
    path: "/sign-in/by-mail",
    title: "Sign in by mail",
    lead: "With a link or a code that is mailed to you, and no password.",
    german: {
      title: "Anmelden per Mail",
      lead: "Mit einem Link oder einem Code, der dir gemailt wird, und ohne Passwort.",
    },
    script: "mail",
    place: "/account",
    isThere: ({ mail }) => mail.signInByMail,
  },
  {
    path: "/sign-up",
    title: "Sign up",
    lead: "Make an account: an e-mail address and a password is all it takes.",
    german: { title: "Konto anlegen", lead: "Eine E-Mail-Adresse und ein Passwort, mehr braucht es nicht." },
    script: "sign-in",
    place: "/account",
  },
  {
    path: "/console",
    paths: ["users", "mail", "decisions", "limits", "keys", "settings", "health"].map((view) => `/console/${view}`),
    title: "Console",
    lead: "What this server does, for those who run it.",
    script: "console",
    place: "/console",
  },
  {
    path: "/account",
    title: "Your account",
    lead: "Who you are here, where you are signed in, and what changed lately.",
    script: "account",
    place: "/account",
  },
  // Where the links of mails lead to (src/features/mail/mail.ts). Opening one does nothing: its button does.
  {
    path: "/mail/forgot",
    title: "Forgot your password?",
    lead: "Choose a new one: a mail to your address lets you.",
    german: { title: "Passwort vergessen?", lead: "Wähle ein neues: Eine Mail an deine Adresse macht das möglich." },
    script: "mail",
    place: "/account",
  },
  {
    path: "/mail/verify",
    title: "Confirm your address",
    lead: "One button, and nothing happens before you press it.",
    german: { title: "Bestätige deine Adresse", lead: "Ein Knopf, und bevor du ihn drückst, geschieht nichts." },
    script: "mail",
    place: "/account",
  },
  {
    path: "/mail/reset",
    title: "Choose a new password",
    lead: "With the link from the mail, which works once.",
    german: { title: "Wähle ein neues Passwort", lead: "Mit dem Link aus der Mail; er gilt einmal." },
    script: "mail",
    place: "/account",
  },
  {
    path: "/mail/change-email",
    title: "Confirm another address",
    lead: "One button, and your account has this address.",
    german: { title: "Bestätige die neue Adresse", lead: "Ein Knopf, und dein Konto hat diese Adresse." },
    script: "mail",
    place: "/account",
  },
  {
    path: "/mail/sign-in",
    title: "Sign in by mail",
    lead: "With the link from the mail, which works once.",
    german: { title: "Anmelden per Mail", lead: "Mit dem Link aus der Mail; er gilt einmal." },
    script: "mail",
    place: "/account",
  },
  {
    path: "/mail/undo-email-change",
    title: "Take the old address back",
    lead: "If it was not you who changed the address of your account.",
    german: { title: "Hol die alte Adresse zurück", lead: "Wenn nicht du die Adresse deines Kontos geändert hast." },
    script: "mail",
    place: "/account",
  },
  {
    path: "/mail/not-me",
    title: "This was not me",
    lead: "Lock everybody else out of your account, and choose a new password.",
    german: {
      title: "Das war ich nicht",
      lead: "Sperr alle anderen aus deinem Konto aus, und wähle ein neues Passwort.",
    },
    script: "mail",
    place: "/account",
  },
];
