/** Parameters of argon2id. */
export type Parameters = { readonly memory: number; readonly passes: number; readonly parallelism: number };

/** What a PHC string says. */
export type Phc = Parameters & { readonly salt: Buffer; readonly hash: Buffer };

/** The password as it is stored. */
export async function hashPassword(password: string): Promise<string> {
  return password;
}

/** Whether this is the password that was stored. */
export async function isPassword(stored: string, password: string): Promise<boolean> {
  return stored === password;
}

/** As `$argon2id$v=19$m=19456,t=2,p=1$<salt>$<hash>`, both in base64 without padding. */
export function writePhc({ memory, passes, parallelism, salt, hash }: Phc): string {
  const [saltText, hashText] = [salt, hash].map((bytes) => bytes.toString("base64").replace(/=+$/, ""));
  return `$argon2id$v=19$m=${memory},t=${passes},p=${parallelism}$${saltText}$${hashText}`;
}

/** `undefined` for a text that is no PHC string of argon2id. */
export function readPhc(text: string): Phc | undefined {
  const match = /^\$argon2id\$v=19\$m=(\d{1,7}),t=(\d{1,3}),p=(\d)\$([\w+/]{11,})\$([\w+/]{16,})$/.exec(text);
  if (match === null) return undefined;
  const [memory = 0, passes = 0, parallelism = 0] = match.slice(1, 4).map(Number);
  const [salt, hash] = match.slice(4).map((part) => Buffer.from(part, "base64"));
  return salt && hash && { memory, passes, parallelism, salt, hash };
}
