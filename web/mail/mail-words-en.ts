/** What the pages say that a mail's links lead to: what the button will do, what was done, and where to go on. */
export type DoorWords = {
  readonly will: string;
  readonly action: string;
  readonly doneTitle: string;
  readonly doneText: string;
  readonly next: { readonly path: string; readonly label: string };
  /** What to do when the link is refused. */
  readonly instead: { readonly text: string; readonly path: string; readonly label: string };
};

const signIn = { path: "/sign-in", label: "Sign in" } as const;
const account = { path: "/account", label: "Your account" } as const;
const forgot = { path: "/mail/forgot", label: "Choose a new password by mail" } as const;

export const englishDoorWords = {
  verify: {
    will: "The button confirms that the e-mail address which this mail came to is yours.",
    action: "Confirm the address",
    doneTitle: "The address is confirmed",
    doneText: "It is yours, and mail about your account goes there.",
    next: account,
    instead: {
      text: "Sign in and look: the address may be confirmed already. If not, ask for another mail.",
      ...account,
    },
  },
  reset: {
    will: "The button gives your account the password that you choose here, and signs you out everywhere.",
    action: "Set the new password",
    doneTitle: "You have a new password",
    doneText: "You are signed out everywhere. Sign in with the new password.",
    next: signIn,
    instead: { text: "Ask for another mail, and open the newest one.", ...forgot },
  },
  "change-email": {
    will: "The button gives your account the e-mail address which this mail came to.",
    action: "Use this address",
    doneTitle: "Your account has the new address",
    doneText: "From now on you sign in with it. The address before was told, with a way back.",
    next: account,
    instead: { text: "Look at your account: the address may be changed already. If not, ask again there.", ...account },
  },
  "sign-in": {
    will: "The button signs you in, in this browser.",
    action: "Sign in here",
    doneTitle: "You are signed in",
    doneText: "This browser stays signed in until you sign out.",
    next: account,
    instead: { text: "Ask for another mail, or sign in with your password.", ...signIn },
  },
  "undo-email-change": {
    will: "The button gives your account its old e-mail address back, signs everybody out, and makes the password useless.",
    action: "Take the old address back",
    doneTitle: "Your old address counts again",
    doneText: "Everybody is signed out. A mail to the old address lets you choose a new password.",
    next: forgot,
    instead: {
      text: "If your account is not yours any more, choose a new password, or ask who runs this server.",
      ...forgot,
    },
  },
  "not-me": {
    will: "The button signs everybody out of your account and makes its password useless. You then choose a new one by mail.",
    action: "This was not me",
    doneTitle: "Your account is locked to everybody else",
    doneText: "Everybody is signed out. A mail lets you choose a new password.",
    next: forgot,
    instead: { text: "To be safe, choose a new password: that signs everybody out, too.", ...forgot },
  },
} as const satisfies Record<string, DoorWords>;

export const englishMailWords = {
  noToken: "Open the link in the mail",
  noTokenText:
    "This page knows what to do by the link alone, and keeps nothing of it. Open the link again, or copy the whole address from the mail.",
  refused: {
    used: "This link has been used",
    expired: "This link came too late",
    void: "This link counts no more",
    unknown: "This link is not whole, or not for this",
  } as Readonly<Record<string, string>>,
  refusedOtherwise: "This link works no more",
  newPassword: "New password",
  passwordRule: (lengthMin: number): string =>
    `At least ${lengthMin} characters, any you like: a few words are easier to remember than signs.`,
  email: "E-mail address",
  ask: "Send me a mail",
  askedTitle: "A mail is on its way, if there is an account",
  askedText: (email: string): string =>
    `If ${email} has an account here, a mail with a link and a code will be there in a minute. Look among the unwanted mail, too.`,
  elsewhere: "Are you reading it on another device? Then type its code here.",
  otherAddress: "Use another address",
  remembered: "Remembered it?",
  knowsPassword: "Rather with your password?",
};
