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

/** Swagger UI hides a picture with this one style attribute. Its hash allows that and no other. */
const swaggerStyle = "'unsafe-hashes' 'sha256-RL3ie0nH+Lzz2YNqQN83mnU0J1ot4QL7b99vMdIX99w='";

const pagePolicy = (styles: string): string =>
  [
    "default-src 'none'",
    `style-src ${styles}`,
    "script-src 'self'",
    "img-src 'self' data:",
    "font-src 'self'",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
  ].join("; ");

/** By kind of answer: what programs read, pages of our own, and Swagger UI. */
export type SecurityHeaders = Readonly<Record<"api" | "page" | "docs", Readonly<Record<string, string>>>>;

/** @param publicUrl only an https origin may demand https for the time to come (RFC 6797 §7.2). */
export function securityHeaders(publicUrl: string): SecurityHeaders {
  const transport = publicUrl.startsWith("https:")
    ? { "strict-transport-security": "max-age=31536000; includeSubDomains" }
    : {};
  const page = (styles: string): Record<string, string> => ({
    ...always,
    ...transport,
    "content-security-policy": pagePolicy(styles),
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "cache-control": "no-cache",
  });
  return {
    api: {
      ...always,
      ...transport,
      "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
      "cache-control": "no-store",
    },
    page: page("'self'"),
    docs: page(`'self' ${swaggerStyle}`),
  };
}
