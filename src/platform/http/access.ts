import type { IncomingMessage } from "node:http";
import { Problem, type ProblemCode } from "../../contract/problems.ts";
import type { Permission } from "../../contract/permissions.ts";
import type { Awaitable } from "../awaitable.ts";
import type { AccountRow } from "../database/tables.ts";

/**
 * Who may use a route: anyone, whoever sits at this machine or brings METRICS_TOKEN, anyone who is signed in, or who
 * has this permission.
 */
export type Access = AnonymousAccess | "signed-in" | Permission;

/** Nobody is asked for the token of an account. */
export type AnonymousAccess = "public" | "this-machine" | "metrics-token";

export function isAnonymous(access: Access): access is AnonymousAccess {
  return access === "public" || access === "this-machine" || access === "metrics-token";
}

/** Who is calling, read from the database in this very request. */
export type Caller = {
  readonly account: AccountRow;
  readonly sessionId: string;
  /** Milliseconds since the epoch: when a credential of this session was last proved. */
  readonly authenticatedAt: number;
};

/** Handed in by `app.ts`: the HTTP layer knows neither tokens nor sessions. */
export type Authenticate = (token: string) => Awaitable<Caller | { readonly refused: ProblemCode }>;

const scheme = "bearer ";

/**
 * The bearer token of a request, from the `Authorization` header and nowhere else (RFC 6750 §2.1).
 * `undefined` when there is none; another scheme than Bearer is none.
 *
 * @throws Problem `two-credentials` for two such headers, or for a second token in the query (RFC 6750 §2).
 */
export function readBearerToken(request: IncomingMessage, query: unknown): string | undefined {
  if (countHeader(request, "authorization") > 1) throw new Problem("two-credentials");
  const { authorization = "" } = request.headers;
  // No regular expression: every request brings such a header, of 600 characters.
  if (authorization.slice(0, scheme.length).toLowerCase() !== scheme) return undefined;
  const token = authorization.slice(scheme.length).trim();
  if (token === "") return undefined;
  if (typeof query === "object" && query !== null && "access_token" in query) throw new Problem("two-credentials");
  return token;
}

/** How often a header was sent: Node keeps only the first of some, and a second one must not slip through. */
export function countHeader(request: IncomingMessage, lowerCaseName: string): number {
  const { rawHeaders } = request;
  let count = 0;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] ?? "";
    if (name.length === lowerCaseName.length && name.toLowerCase() === lowerCaseName) count += 1;
  }
  return count;
}

/** The `WWW-Authenticate` that goes with a refusal (RFC 6750 §3, RFC 9470 §3). No error code when nothing was sent. */
export function challenge(
  code: ProblemCode,
  reauthenticationAgeSeconds: number,
  missingPermission?: string,
): string | undefined {
  switch (code) {
    case "token-missing":
      return "Bearer";
    case "wrong-credentials":
    case "refresh-refused":
      return "Bearer";
    case "token-invalid":
    case "session-ended":
      return `Bearer error="invalid_token"`;
    case "token-expired":
      return `Bearer error="invalid_token", error_description="The access token expired"`;
    case "reauthentication-required":
      return `Bearer error="insufficient_user_authentication", max_age=${reauthenticationAgeSeconds}`;
    case "permission-denied":
      return `Bearer error="insufficient_scope", scope="${missingPermission ?? ""}"`;
    case "two-credentials":
      return `Bearer error="invalid_request"`;
    default:
      return undefined;
  }
}
