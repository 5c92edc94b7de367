import { readFileSync } from "node:fs";

/**
 * The passwords that are tried first, 49,233 of them, in their order. From the package's list as it stands: its module
 * unpacks two more, and takes 150 ms and 15 MB.
 */
export function readCommonPasswords(): readonly string[] {
  const list = import.meta.resolve("@zxcvbn-ts/language-common/src/passwords.json");
  return JSON.parse(readFileSync(new URL(list), "utf8")) as string[];
}
