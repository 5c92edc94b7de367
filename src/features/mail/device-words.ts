import type { MailTexts } from "./mail-texts.ts";

/** In this order: what comes later also names what comes earlier. */
const programs: readonly (readonly [RegExp, string])[] = [
  [/\bFirefox\/|\bFxiOS\//, "Firefox"],
  [/\bEdg(?:A|iOS)?\//, "Edge"],
  [/\bOPR\//, "Opera"],
  [/\bSamsungBrowser\//, "Samsung Internet"],
  [/\bChrome\/|\bCriOS\//, "Chrome"],
  [/\bSafari\//, "Safari"],
  [/^curl\//, "curl"],
];
const systems: readonly (readonly [RegExp, string])[] = [
  [/\bAndroid\b/, "Android"],
  [/\biPhone\b/, "iPhone"],
  [/\biPad\b/, "iPad"],
  [/\bWindows\b/, "Windows"],
  [/\bMac OS X\b/, "macOS"],
  [/\bCrOS\b/, "ChromeOS"],
  [/\bLinux\b/, "Linux"],
];

/**
 * The program that asked, in words of ours. Never what it says of itself: that is anybody's text, and a mail shows it as
 * if we had written it.
 */
export function deviceWords(userAgent: string | null, { unknownDevice, programOnSystem }: MailTexts): string {
  const find = (table: typeof programs) => table.find(([pattern]) => pattern.test(userAgent ?? ""))?.[1];
  const [program, system] = [find(programs), find(systems)];
  if (program === undefined) return unknownDevice;
  return system === undefined ? program : programOnSystem.replace("{program}", program).replace("{system}", system);
}
