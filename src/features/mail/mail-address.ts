import { domainToASCII } from "node:url";

/** As SMTP takes it everywhere: the domain in ASCII, the rest as it is stored. */
export function asciiAddress(email: string): string {
  const at = email.lastIndexOf("@");
  return `${email.slice(0, at)}@${domainToASCII(email.slice(at + 1))}`;
}
