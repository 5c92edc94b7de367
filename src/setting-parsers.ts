import { isIP } from "node:net";
import type { Quota } from "./contract/limits.ts";
import { parseTrustedProxies } from "./platform/http/client-address.ts";

/**
 * A value, or the middle of a sentence: `PORT` + fault + the bad value + `: ` + cure + `.`
 * A fault that is complete names the value and the cure itself.
 */
export type Parsed<T> = { readonly value: T } | Fault;
export type Fault = { readonly fault: string; readonly cure?: string; readonly isComplete?: true };

const listMax = 100;
const secretKeyBytes = { min: 32, max: 1024 };
const publicUrlLengthMax = 255;
const quotaMax = 1_000_000;
const millisecondsPerUnit = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

type DurationUnit = keyof typeof millisecondsPerUnit;

export function parseWord<Word extends string>(text: string, words: readonly Word[]): Parsed<Word> {
  const value = words.find((word) => word === text);
  return value === undefined ? { fault: `must be one of ${words.join(", ")}` } : { value };
}

export function parseWholeNumber(text: string, min: number, max: number): Parsed<number> {
  const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  return value >= min && value <= max ? { value } : { fault: `must be a whole number from ${min} to ${max}` };
}

/** `900`, `900s`, `15m`, `1h`, `14d` in seconds; the bounds are in the same words. */
export function parseSeconds(text: string, min: string, max: string): Parsed<number> {
  const parsed = parseDuration(text, min, max, /^(\d{1,12})(s|m|h|d)?$/);
  return "fault" in parsed ? parsed : { value: parsed.value / 1000 };
}

/** As `parseSeconds`, also `500ms`, in milliseconds. */
export function parseMilliseconds(text: string, min: string, max: string): Parsed<number> {
  return parseDuration(text, min, max, /^(\d{1,12})(ms|s|m|h|d)?$/);
}

function parseDuration(text: string, min: string, max: string, pattern: RegExp): Parsed<number> {
  const milliseconds = durationMilliseconds(text, pattern);
  const [minMilliseconds, maxMilliseconds] = [durationMilliseconds(min), durationMilliseconds(max)];
  return milliseconds >= minMilliseconds && milliseconds <= maxMilliseconds
    ? { value: milliseconds }
    : { fault: `must be a duration from ${min} to ${max}` };
}

function durationMilliseconds(text: string, pattern = /^(\d{1,12})(ms|s|m|h|d)?$/): number {
  const match = pattern.exec(text);
  if (match === null) return Number.NaN;
  return Number(match[1]) * millisecondsPerUnit[(match[2] ?? "s") as DurationUnit];
}

/** `30/60s`, `10/15m` or `off`; undefined is off. */
export function parseQuota(text: string): Parsed<Quota | undefined> {
  if (text === "off") return { value: undefined };
  const [quotaText = "", windowText = ""] = text.split("/", 2);
  const quota = parseWholeNumber(quotaText, 1, quotaMax);
  const window = parseSeconds(windowText, "1s", "30d");
  if ("fault" in quota || "fault" in window || text.split("/").length !== 2) {
    return { fault: `must be a quota from 1 to ${quotaMax} in a window from 1s to 30d, or off` };
  }
  return { value: { quota: quota.value, windowSeconds: window.value } };
}

export function parseHost(text: string): Parsed<string> {
  const isName = text.length <= 253 && /^[a-z\d]([a-z\d-]*[a-z\d])?(\.[a-z\d]([a-z\d-]*[a-z\d])?)*$/i.test(text);
  return isName || isIP(text) > 0 ? { value: text } : { fault: "must be an IP address or a host name to listen on" };
}

/** Scheme, host and port alone, as RFC 6454 serialises an origin; undefined when there is more or less in it. */
function originOf(text: string): string | undefined {
  if (text.length > publicUrlLengthMax || /[?#@\\\s]/.test(text) || !URL.canParse(text)) return undefined;
  const url = new URL(text);
  const isOrigin = (url.protocol === "http:" || url.protocol === "https:") && url.pathname === "/";
  return isOrigin ? url.origin : undefined;
}

export function parsePublicUrl(text: string): Parsed<string> {
  const value = originOf(text);
  if (value !== undefined) return { value };
  return { fault: "must be an http or https origin without a path, query, fragment or credentials" };
}

/** Exact origins, comma separated. */
export function parseOrigins(text: string): Parsed<readonly string[]> {
  const entries = parseList(text);
  if ("fault" in entries) return entries;
  const origins = entries.value.map(originOf);
  const value = origins.filter((origin) => origin !== undefined);
  if (value.length === origins.length) return { value: [...new Set(value)] };
  return { fault: "must list exact http or https origins, never * or null" };
}

/** Addresses, CIDRs or `loopback`, comma separated. */
export function parseProxies(text: string): Parsed<readonly string[]> {
  const entries = parseList(text);
  if ("fault" in entries || text === "") return entries;
  const proxies = parseTrustedProxies(text);
  if (!("fault" in proxies)) return { value: proxies };
  return { fault: `cannot be used: its entry ${proxies.fault.replace(/\.$/, "")}`, isComplete: true };
}

export function parseList(text: string): Parsed<readonly string[]> {
  const value = text === "" ? [] : text.split(",").map((entry) => entry.trim());
  if (value.length > listMax) return { fault: `must have at most ${listMax} entries` };
  return value.includes("") ? { fault: "must have no empty entry between its commas" } : { value };
}

export function parseSecretKey(text: string): Parsed<string | undefined> {
  if (text === "") return { value: undefined };
  const bytes = Buffer.byteLength(text);
  return bytes >= secretKeyBytes.min && bytes <= secretKeyBytes.max
    ? { value: text }
    : { fault: `must have ${secretKeyBytes.min} to ${secretKeyBytes.max} bytes and has ${bytes}`, cure: makeSecretKey };
}

export const makeSecretKey = 'make one with "openssl rand -base64 32" and keep it';
