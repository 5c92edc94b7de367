import { createHash } from "node:crypto";
import type { FastifyReply } from "fastify";
import Negotiator from "negotiator";
import type { Platform } from "../platform.ts";
import { securityHeaders } from "./security-headers.ts";

/** Whether HTML is wanted rather than JSON (RFC 9110 §12.5.1). Who takes anything is a program. */
export function prefersHtml(accept: string): boolean {
  return new Negotiator({ headers: { accept } }).mediaType(["application/json", "text/html"]) === "text/html";
}

/** Sends a page, with the headers under which a page may load its own files. */
export function sendPage({ config }: Pick<Platform, "config">, reply: FastifyReply, html: string): FastifyReply {
  return reply.headers(securityHeaders(config.publicUrl).page).type("text/html; charset=utf-8").send(html);
}

/** Sends what changes rarely, or 304 when the client has it already (RFC 9110 §13.1.2). */
export function sendCached(reply: FastifyReply, payload: string, mediaType: string, maxAgeSeconds: number): FastifyReply {
  const tag = `"${createHash("sha256").update(payload).digest("base64url").slice(0, 22)}"`;
  reply.header("etag", tag).header("cache-control", `public, max-age=${maxAgeSeconds}`);
  const known = reply.request.headers["if-none-match"]?.split(",").map((one) => one.trim().replace(/^W\//, ""));
  if (known?.includes(tag) || known?.includes("*")) return reply.code(304).send();
  return reply.type(mediaType).serializer(String).send(payload);
}
