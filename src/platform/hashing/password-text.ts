/**
 * The one place where a typed password becomes the bytes that are hashed, at setting it and at checking it.
 *
 * RFC 8265 §4.2.2 (OpaqueString): non-ASCII spaces become U+0020, since keyboards differ in which they type; then NFC.
 * No width or case mapping, no trimming. Unlike the profile, control characters (NUL too) are kept, not refused.
 */

/** Most bytes of UTF-8 that a password may have after normalisation. */
export const passwordBytesMax = 1024;

// NFC joins at most four UTF-16 units into one character, so longer text has too many bytes without normalising it.
const textLengthMax = 4 * passwordBytesMax;

const encoder = new TextEncoder();

/** The password as it is hashed. For counting and comparing; `passwordBytes` for hashing. */
export function normalisePassword(password: string): string {
  return password.replace(/\p{Zs}/gu, " ").normalize("NFC");
}

/** Whether the password has more than `passwordBytesMax` bytes of UTF-8 after normalisation. Cheap for any length. */
export function isPasswordTooLong(password: string): boolean {
  if (password.length > textLengthMax) return true;
  return encoder.encode(normalisePassword(password)).byteLength > passwordBytesMax;
}

/**
 * Whether the hasher takes this password: at most `passwordBytesMax` bytes, and well-formed Unicode.
 * UTF-8 has no lone surrogates: all of them would become U+FFFD, and different passwords the same.
 */
export function isHashable(password: string): boolean {
  return password.isWellFormed() && !isPasswordTooLong(password);
}

/** UTF-8 of the normalised password, in a buffer of its own. Throws `RangeError` unless `isHashable`. */
export function passwordBytes(password: string): Uint8Array {
  if (!isHashable(password)) throw new RangeError("This password may not be hashed: callers ask isHashable first.");
  return encoder.encode(normalisePassword(password));
}
