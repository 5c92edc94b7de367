import { partWords as words } from "./part-words.ts";

const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
const exact = new Intl.DateTimeFormat("en", { dateStyle: "medium", timeStyle: "medium" });
const units = [
  ["year", 31_536_000],
  ["month", 2_592_000],
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
] as const;

/** How long ago or ahead a moment is, in words. */
export function inWords(milliseconds: number): string {
  const seconds = milliseconds / 1000;
  const found = units.find(([, size]) => Math.abs(seconds) >= size);
  return found ? relative.format(Math.round(seconds / found[1]), found[0]) : words.justNow;
}

/** A time of the API (RFC 3339) in words; exact when pointed at. */
export function Moment({ at }: { readonly at: string }) {
  const time = Date.parse(at);
  return (
    <time dateTime={at} title={exact.format(time)}>
      {inWords(time - Date.now())}
    </time>
  );
}
