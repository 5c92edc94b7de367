import type { IncomingHttpHeaders } from "node:http";
import { Problem } from "../../contract/problems.ts";

/**
 * Browsers say where a request comes from and let no page lie about it; who says nothing is no page of ours.
 *
 * @throws Problem `foreign-origin` (ASVS 3.5.1)
 */
export function requireOwnPage(headers: IncomingHttpHeaders, publicUrl: string): void {
  const site = headers["sec-fetch-site"];
  const isOwn = site === undefined ? headers.origin === publicUrl : site === "same-origin";
  if (!isOwn) throw new Problem("foreign-origin");
}
