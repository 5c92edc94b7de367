import { createHash } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import type { FastifyReply } from "fastify";
import Negotiator from "negotiator";
import type { Platform } from "../platform.ts";
import { securityHeaders } from "./security-headers.ts";
import type { BuiltFile } from "./web-build.ts";

/** Whether HTML is wanted rather than JSON (RFC 9110 §12.5.1). Who takes anything is a program. */
export function prefersHtml(headers: IncomingHttpHeaders): boolean {
  return new Negotiator({ headers }).mediaType(["application/json", "text/html"]) === "text/html";
}

/** The language that a browser asks for first, as a tag (RFC 9110 §12.5.4); `undefined` for who does not say or care. */
export function preferredLanguage(headers: IncomingHttpHeaders): string | undefined {
  const [language] = new Negotiator({ headers }).languages();
  return language !== undefined && /^[a-z]{2,3}(?:-[A-Za-z0-9]{2,8})*$/.test(language) && language.length <= 35
    ? language
    : undefined;
}

/** Which of these languages suits a browser best; the first one when none does. */
export function languageAmong<Language extends string>(
  languages: readonly [Language, ...Language[]],
  headers: IncomingHttpHeaders,
): Language {
  const best = new Negotiator({ headers }).language([...languages]);
  return languages.find((language) => language === best) ?? languages[0];
}

/** Makes this answer a page, with the headers under which a page may load its own files. Returns what to send. */
export function asPage({ config }: Pick<Platform, "config">, reply: FastifyReply, html: string): string {
  reply.headers(securityHeaders(config.publicUrl).page).type("text/html; charset=utf-8");
  return html;
}

/** Makes this answer one that may be kept; 304 without a body when the client has it already (RFC 9110 §13.1.2). */
export function asCached(
  reply: FastifyReply,
  text: string,
  { mediaType, maxAgeSeconds }: { readonly mediaType: string; readonly maxAgeSeconds: number },
): string | undefined {
  const tag = `"${createHash("sha256").update(text).digest("base64url").slice(0, 22)}"`;
  reply.header("etag", tag).header("cache-control", `public, max-age=${maxAgeSeconds}`).type(mediaType);
  const known = reply.request.headers["if-none-match"]?.split(",").map((one) => one.trim().replace(/^W\//, ""));
  if (!known?.includes(tag) && !known?.includes("*")) return text;
  reply.code(304).removeHeader("content-type");
  return undefined;
}

/** A file of the build, in the smallest coding that the client takes (RFC 9110 §12.5.3), to be kept for ever. */
export function asBuilt(reply: FastifyReply, { mediaType, encodings }: BuiltFile): Buffer {
  const accepted = new Negotiator(reply.request).encodings(["br", "gzip"]);
  const encoding = accepted.includes("br") ? "br" : accepted.includes("gzip") ? "gzip" : "identity";
  reply
    .header("cache-control", "public, max-age=31536000, immutable")
    .header("vary", "accept-encoding")
    .type(mediaType);
  if (encoding !== "identity") reply.header("content-encoding", encoding);
  return encodings[encoding];
}
