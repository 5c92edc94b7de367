import type { CodeRequest } from "../as-code.ts";

/** Whose token goes with a request: none, that of a throw-away account, or that of who is signed in here. */
export type As = "nobody" | "user" | "administrator" | "me";

/** A request as it stands in the form. */
export type LiveRequest = {
  readonly method: string;
  /** With the query. */
  readonly path: string;
  /** A line each: `name: value`. */
  readonly headers: string;
  readonly body: string;
};

export const methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"] as const;

/** The headers of a request, or the first line that is none. */
export function readHeaders(text: string): { readonly headers: [string, string][] } | { readonly wrongLine: string } {
  const headers: [string, string][] = [];
  for (const line of text.split("\n")) {
    if (line.trim() === "") continue;
    // RFC 9110 §5.1: a name is a token.
    const [, name, value] = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+)[ \t]*:[ \t]*(.*?)[ \t]*$/.exec(line) ?? [];
    if (name === undefined || value === undefined) return { wrongLine: line };
    headers.push([name, value]);
  }
  return { headers };
}

/** The request as other programs would send it, with the token that it is sent with. */
export function codeRequest(request: LiveRequest, token: string | undefined, origin: string): CodeRequest {
  const read = readHeaders(request.headers);
  const headers = "headers" in read ? read.headers : [];
  return {
    method: request.method,
    url: origin + request.path,
    headers: token === undefined ? headers : [["authorization", `Bearer ${token}`], ...headers],
    body: mayHaveBody(request) ? request.body : undefined,
  };
}

/** A browser sends no body with GET and HEAD. */
export function mayHaveBody({ method, body }: Pick<LiveRequest, "method" | "body">): boolean {
  return body !== "" && method !== "GET" && method !== "HEAD";
}
