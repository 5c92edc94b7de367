import { readFileSync } from "node:fs";

/**
 * The 49,233 passwords that are tried first, one a line, as the package lists them. From its JSON as text, in which
 * nothing is escaped: its module unpacks two more lists, and takes 150 ms and 15 MB.
 */
export function readCommonPasswords(): string {
  const list = import.meta.resolve("@zxcvbn-ts/language-common/src/passwords.json");
  return readFileSync(new URL(list), "latin1").slice('["'.length, -'"]'.length).replaceAll('","', "\n");
}
