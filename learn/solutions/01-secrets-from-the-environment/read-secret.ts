/** Settings as they come from outside: `process.env`, or what a test makes up. */
export type Environment = Readonly<Record<string, string | undefined>>;

const bytesMin = 32;

/**
 * The secret that signs every token of this server.
 *
 * @throws Error whose message says what to set, and never what was set.
 */
export function readSecret(env: Environment): string {
  const secret = env["SECRET_KEY"] ?? "";
  if (Buffer.byteLength(secret) < bytesMin) {
    throw new Error(
      `Set SECRET_KEY to a random text of ${bytesMin} bytes or more, as openssl rand -base64 32 makes one.`,
    );
  }
  return secret;
}
