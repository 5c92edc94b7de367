/**
 * E-mail addresses: what is one, and when two are the same.
 *
 * Narrower than RFC 5322 on purpose: one bare mailbox, as people have it. An address is accepted only if folding it
 * cannot give another person's (CVE-2019-19844): the local part is an ASCII dot-atom (RFC 5322 §3.2.3), so no `ı`,
 * no Kelvin sign, no `ﬁ`, no full-width letters; no quoted strings, comments, lists or IP literals. Folding the case
 * of the local part departs from RFC 5321 §2.4, as providers do: two accounts cannot differ in case alone.
 *
 * Internationalised domains are kept as A-labels (RFC 5890). Accepted only if IDNA maps nothing in them apart from
 * ASCII case, and upper case leads back to them: that also refuses `ß` and final sigma, which IDNA 2003 read as `ss`
 * and `σ`, and which some mailers therefore send elsewhere.
 *
 * Importing this module sets TypeBox's format "email", for the whole process, to this check.
 */
import { domainToASCII, domainToUnicode } from "node:url";
import { Format } from "typebox/format";

declare const emailAddressBrand: unique symbol;

/** Only `parseEmailAddress` makes one. */
export type EmailAddress = {
  /** As the person wrote it, without surrounding spaces: where mail goes. */
  readonly typed: string;
  /** ASCII, in lower case: equal for equal addresses, so unique in the database. */
  readonly canonical: string;
  readonly [emailAddressBrand]: true;
};

const inputLengthMax = 1000;
const addressOctetsMax = 254; // RFC 5321 §4.5.3.1.3: a path has 256 with its angle brackets (erratum 1690).
const localPartOctetsMax = 64; // RFC 5321 §4.5.3.1.1

const dotAtom = /^[a-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*$/;
const hostLabel = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/; // RFC 1123 §2.1, RFC 1035 §2.3.4
const startsWithLetter = /^[a-z]/; // A last label that does not is a number, and the domain perhaps an IP address.

/** Reads one e-mail address, with ASCII spaces around it dropped; undefined if it is none that we accept. */
export function parseEmailAddress(text: string): EmailAddress | undefined {
  if (text.length > inputLengthMax) return undefined;
  const typed = text.replace(/^ +/, "").replace(/ +$/, "");
  const at = typed.lastIndexOf("@");
  const localPart = lowerCaseAscii(typed.slice(0, Math.max(at, 0)));
  if (localPart.length > localPartOctetsMax || !dotAtom.test(localPart)) return undefined;
  const domain = canonicalDomain(typed.slice(at + 1));
  if (domain === undefined) return undefined;
  const canonical = `${localPart}@${domain}`;
  return canonical.length > addressOctetsMax ? undefined : ({ typed, canonical } as EmailAddress);
}

/** The domain as A-labels in lower case. */
function canonicalDomain(typed: string): string | undefined {
  const domain = lowerCaseAscii(typed);
  const ascii = domainToASCII(domain);
  const unicode = domainToUnicode(ascii);
  // What IDNA maps (full width, ligatures, `%65`, `0x7f.1`) does not come back as it was written.
  const isMapped = domain !== ascii && domain !== unicode;
  // Node passes malformed A-labels on as they are: no U-label comes out of them.
  const isMalformed = unicode.startsWith("xn--") || unicode.includes(".xn--") || domainToASCII(unicode) !== ascii;
  if (isMapped || isMalformed || !isCaseStable(unicode) || /\p{Cf}/u.test(unicode)) return undefined;
  const labels = ascii.split(".");
  const isHostName = labels.length >= 2 && labels.every((label) => hostLabel.test(label));
  return isHostName && startsWithLetter.test(labels.at(-1) ?? "") ? ascii : undefined;
}

function isCaseStable(text: string): boolean {
  return text.toUpperCase().toLowerCase().normalize("NFC") === text && text.normalize("NFKC") === text;
}

function lowerCaseAscii(text: string): string {
  return text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}

Format.Set("email", (text) => parseEmailAddress(text) !== undefined);
