export const accountWords = {
  profile: "Profile",
  email: "E-mail address",
  verified: "confirmed",
  notVerified: "not confirmed yet",
  sendAgain: "Send the mail again",
  sent: (email: string): string => `A mail to ${email} is on its way: its link or its code confirms the address.`,
  verifiedNow: "The address is confirmed.",
  otherEmail: "Another e-mail address",
  otherEmailHint: "A mail goes there first; until its link or its code is used, nothing changes.",
  changeEmail: "Change address",
  changeEmailProof: "To change your e-mail address, prove that it is you.",
  emailChanged: "Your account has the new address.",
  role: "Role",
  since: "Account since",
  displayName: "Display name",
  displayNameHint: "What others may see. Up to 100 characters; leave it empty for none.",
  save: "Save",
  saved: "Saved.",
  renamed: (name: string | null): string => (name === null ? "You have no display name now." : `You are ${name} now.`),
  password: "Password",
  currentPassword: "Current password",
  newPassword: "New password",
  passwordRule: (lengthMin: number): string =>
    `At least ${lengthMin} characters. Everywhere else you will be signed out.`,
  changePassword: "Change password",
  passwordChanged: "Password changed; you are signed out everywhere else.",
  sessions: "Where you are signed in",
  thisOne: "this one",
  lastUsed: "last used",
  signedIn: "signed in",
  unknownDevice: "Unknown device",
  endSession: "Sign out there",
  endOthers: "Sign out everywhere else",
  endOthersText: "All other browsers, apps and devices have to sign in again. This one stays.",
  sessionEnded: "Signed out there.",
  othersEnded: "Signed out everywhere else.",
  onlyHere: "Nowhere else. Other browsers and devices appear here as soon as you sign in with them.",
  signOut: "Sign out",
  recent: "What changed lately",
  showAll: "Show all of it",
  recentEmpty: "Nothing yet. Sign-ins, changes of your password and the like will be here.",
  remove: "Delete the account",
  removeText: "The account and everything in it is gone at once, and nobody can bring it back.",
  removeProof: "To delete your account, prove that it is you.",
  removeTitle: "Delete your account?",
  removeAction: "Delete my account",
} as const;

type Told = { readonly by: string; readonly from: string | undefined; readonly to: string | undefined };

const byWords: Readonly<Record<string, string>> = { administrator: ", by an administrator", server: ", by the server" };

const events: Readonly<Record<string, string>> = {
  "account/created": "Account made",
  "account/renamed": "Display name changed",
  "account/email-verified": "E-mail address confirmed",
  "account/email-changed": "E-mail address changed",
  "account/takeover-reported": "Reported: this was not me",
  "account/disabled": "Account disabled",
  "account/enabled": "Account enabled again",
  "password/changed": "Password changed",
  "password/reset": "New password chosen by mail",
  "session/started": "Signed in",
  "session/reauthenticated": "Proved again that it is you",
  "session/refresh-reused": "A stolen or copied session was shut out",
  "session/ended": "Signed out",
};

/** An event of the account as one tells it; a kind that is new here is told by its name. */
export function eventInWords(type: string, { by, from, to }: Told): string {
  if (type === "account/role-changed") return `Role changed from ${from ?? "?"} to ${to ?? "?"}${byWords[by] ?? ""}`;
  return (events[type] ?? type) + (byWords[by] ?? "");
}
