const {
  mode = "",
  language = "en",
  mail = "off",
  signInByMail = "off",
  emailVerification = "off",
  passwordLengthMin = "15",
} = document.getElementById("screen")?.dataset ?? {};

/** What the server wrote into the page, so that its script need not ask. */
export const screenFacts = {
  isGerman: language === "de",
  isDevelopment: mode === "development",
  hasMail: mail === "on",
  verifiesAddresses: mail === "on" && emailVerification !== "off",
  signsInByMail: signInByMail === "on",
  /** In characters (code points). */
  passwordLengthMin: Number(passwordLengthMin),
} as const;
