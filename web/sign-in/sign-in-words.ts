export const signInWords = {
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
} as const;
