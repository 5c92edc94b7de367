import type { SignInWords } from "./sign-in-words.ts";

export const germanSignInWords: SignInWords = {
  email: "E-Mail-Adresse",
  password: "Passwort",
  passwordRule: (lengthMin: number): string =>
    `Mindestens ${lengthMin} Zeichen, welche du willst: Ein paar Wörter merken sich leichter als Zeichen.`,
  signIn: "Anmelden",
  signUp: "Konto anlegen",
  noAccount: "Noch kein Konto?",
  hasAccount: "Schon ein Konto?",
  signedInAs: "Du bist angemeldet.",
  goOn: "Weiter",
  missing: "darf nicht leer sein",
  newPassword: "Neues Passwort",
  newPasswordRule: (lengthMin: number): string =>
    `Mindestens ${lengthMin} Zeichen, und nicht das alte: Das kennt vielleicht jemand anderes.`,
  forgot: "Passwort vergessen?",
  byMail: "Per Mail anmelden",
  sendAgain: "Die Mail noch einmal schicken",
  mailTitle: "Eine Mail ist unterwegs",
  mailText: (email: string): string =>
    `Sieh in die Mail von ${email}: Darin steht, wie es weitergeht. Es kann eine Minute dauern; sieh auch unter der unerwünschten Mail nach.`,
  mailElsewhere: "Liest du sie auf einem anderen Gerät? Dann gib ihren Code hier ein.",
};
