/** So many users with a session each, in a new file. Gives the cookie of each session. */
export function seedBetterAuth(
  file: string,
  what: { readonly users: number; readonly emailOf: (index: number) => string; readonly password: string },
): Promise<readonly string[]>;
