/**
 * What every answer carries, refusals included (OWASP ASVS 5.0 3.4.1–3.4.8).
 * A program's answer may load nothing at all; a page only its own files.
 */
const always = {
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cross-origin-resource-policy": "same-origin",
  "x-frame-options": "DENY",
} as const;

const pagePolicy = [
  "default-src 'none'",
  "style-src 'self'",
  "script-src 'self'",
  "img-src 'self' data:",
  "font-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join("; ");

export type SecurityHeaders = { readonly api: Readonly<Record<string, string>>; readonly page: Readonly<Record<string, string>> };

/** @param publicUrl only an https origin may demand https for the time to come (RFC 6797 §7.2). */
export function securityHeaders(publicUrl: string): SecurityHeaders {
  const transport = publicUrl.startsWith("https:")
    ? { "strict-transport-security": "max-age=31536000; includeSubDomains" }
    : {};
  return {
    api: {
      ...always,
      ...transport,
      "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
      "cache-control": "no-store",
    },
    page: {
      ...always,
      ...transport,
      "content-security-policy": pagePolicy,
      "cross-origin-opener-policy": "same-origin",
      "permissions-policy": "camera=(), geolocation=(), microphone=()",
      "cache-control": "no-cache",
    },
  };
}
