const { mode = "", passwordLengthMin = "15" } = document.getElementById("screen")?.dataset ?? {};

/** What the server wrote into the page, so that its script need not ask. */
export const screenFacts = {
  isDevelopment: mode === "development",
  /** In characters (code points). */
  passwordLengthMin: Number(passwordLengthMin),
} as const;
