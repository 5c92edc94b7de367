/**
 * Which passwords we accept (NIST SP 800-63B-4 §3.1.1.2): long enough, not too long, and, where passwords are checked,
 * not common and without words that an attacker tries first. No rules of composition, no trimming, no expiry.
 * All is judged on the normalised password, which is what is hashed.
 */
import type { Fault } from "../../contract/problems.ts";
import { readCommonPasswords } from "../../platform/common-passwords.ts";
import { isPasswordTooLong, normalisePassword, passwordBytesMax } from "../../platform/hashing/password-text.ts";

export type PasswordPolicy = {
  /** In code points. */
  readonly lengthMin: number;
  /** Whether common passwords and words of the account are refused. */
  readonly checked: boolean;
};

/** A fault of a field: the caller knows where the field is. */
export type PasswordFault = Omit<Fault, "pointer">;

const serviceName = "tollgate";
const wordLengthMin = 4;
const generatedPasswordBytes = 18; // 144 bits

/**
 * Everything that is wrong with the password, in the order to tell it; empty when it may be used.
 * `words` are the account's e-mail address and display name; of an address also its parts are refused.
 */
export function passwordFaults(
  policy: PasswordPolicy,
  password: string,
  words: readonly string[],
): readonly PasswordFault[] {
  // A long password is not looked at further: the work would grow with it.
  if (isPasswordTooLong(password)) {
    return [{ code: "too-long", detail: `must have at most ${passwordBytesMax} bytes of UTF-8` }];
  }
  const normalised = normalisePassword(password);
  const faults: PasswordFault[] = [];
  if (!password.isWellFormed()) {
    faults.push({ code: "unicode", detail: "must be Unicode text: it has half a surrogate pair" });
  }
  if (lengthInCodePoints(normalised) < policy.lengthMin) {
    faults.push({ code: "too-short", detail: `must have at least ${policy.lengthMin} characters` });
  }
  if (policy.checked) faults.push(...guessableFaults(normalised.toLowerCase(), words));
  return faults;
}

/** A password that no person chose, of 144 random bits: 24 characters that need no escaping. */
export function generatePassword(randomText: (bytes: number) => string): string {
  return randomText(generatedPasswordBytes);
}

/**
 * Reads the list of common passwords, once: some milliseconds in which nothing else runs.
 * The first check does so if nobody did: a server calls this before it listens.
 */
export function loadCommonPasswords(): void {
  commonPasswords();
}

function guessableFaults(password: string, words: readonly string[]): PasswordFault[] {
  const faults: PasswordFault[] = [];
  if (isCommon(password)) {
    faults.push({ code: "common", detail: "must not be a common password: those are tried first" });
  }
  const contained = contextOf(words).filter(({ word }) => isWordIn(password, word));
  for (const what of new Set(contained.map(({ what }) => what))) {
    faults.push({ code: "context", detail: `must not contain ${what}` });
  }
  return faults;
}

type ContextWord = { readonly word: string; readonly what: string };

function contextOf(words: readonly string[]): ContextWord[] {
  const ofAccount = words.flatMap((word) =>
    word.includes("@") ? emailWords(word) : [{ word, what: "your display name" }],
  );
  return [...ofAccount, { word: serviceName, what: "the name of this service" }];
}

function emailWords(email: string): ContextWord[] {
  const at = email.lastIndexOf("@");
  const domain = email.slice(at + 1);
  return [email, email.slice(0, at), domain, domain.split(".")[0] ?? ""].map((word) => ({
    word,
    what: "your e-mail address or a part of it",
  }));
}

function isWordIn(password: string, typedWord: string): boolean {
  const word = normalisePassword(typedWord).trim().toLowerCase();
  return lengthInCodePoints(word) >= wordLengthMin && password.includes(word);
}

/** Whether this is a common password, or one written several times: the list has only 41 of 15 characters or more. */
function isCommon(password: string): boolean {
  if (password === "") return false;
  const repeated = password.slice(0, (password + password).indexOf(password, 1));
  return isListed(password) || (repeated !== password && isListed(repeated));
}

function lengthInCodePoints(text: string): number {
  return [...text].length;
}

/** Each between two ends of a line: 0.4 MB, where a Set of them takes ten times as much. */
let common: string | undefined;

function commonPasswords(): string {
  common ??= `\n${readCommonPasswords().toLowerCase()}\n`;
  return common;
}

/** Looks through the whole text, some 0.1 ms. What has an end of a line in it could be two of the list. */
function isListed(password: string): boolean {
  return !password.includes("\n") && commonPasswords().includes(`\n${password}\n`);
}
