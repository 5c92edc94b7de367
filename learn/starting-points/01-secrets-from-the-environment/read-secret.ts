/** Settings as they come from outside: `process.env`, or what a test makes up. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** The secret that signs every token of this server. */
export function readSecret(env: Environment): string {
  return env["SECRET_KEY"] ?? "change-me";
}
