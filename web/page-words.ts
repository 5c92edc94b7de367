/** What the script says that is added to pages complete without one. */
export const pageWords = {
  askSettings: "Show what is set here",
  notLoaded: "The rest of this page did not come: load it again",
  signIn: "Sign in as an administrator",
  default: "the default",
  environment: "from the environment",
} as const;
