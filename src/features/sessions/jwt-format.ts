/** Our tokens have about 500 characters; nothing of ours is near this. */
const lengthMax = 8 * 1024;

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/**
 * Whether a text is a JWS in compact form (RFC 7515 §7.1) written in the one way there is: three parts, base64url
 * without padding or spaces, and no bits left over in a last character (RFC 4648 §3.5). jose accepts more; what
 * accepts more gives one token many texts.
 */
export function isStrictCompactJws(text: string): boolean {
  if (text.length > lengthMax) return false;
  const match = /^([\w-]+)\.([\w-]+)\.([\w-]+)$/.exec(text);
  return match !== null && match.slice(1).every(hasNoBitsLeft);
}

function hasNoBitsLeft(part: string): boolean {
  const last = alphabet.indexOf(part.at(-1) ?? "");
  switch (part.length % 4) {
    case 0:
      return true;
    case 2:
      return last % 16 === 0; // 12 bits for 8: four are left over.
    case 3:
      return last % 4 === 0; // 18 bits for 16: two are left over.
    default:
      return false; // No number of bytes has such a length.
  }
}
