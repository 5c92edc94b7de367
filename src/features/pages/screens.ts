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
    script: "sign-in",
    place: "/account",
  },
  {
    path: "/sign-up",
    title: "Sign up",
    lead: "Make an account: an e-mail address and a password is all it takes.",
    script: "sign-in",
    place: "/account",
  },
  {
    path: "/console",
    paths: ["users", "decisions", "limits", "keys", "settings", "health"].map((view) => `/console/${view}`),
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
];
