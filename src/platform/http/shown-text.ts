/** Nearly all that is sent. */
const plainText = /^[\x20-\x7E]*$/;

/**
 * Text of a client as a log, a list or a terminal may show it: nothing in it begins a line, moves a cursor, sets a colour
 * or turns the writing round (ASVS 16.4.1).
 */
export function shownText(text: string): string {
  if (plainText.test(text)) return text;
  return text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, "\uFFFD");
}
