import createApi from "openapi-fetch";
import type { paths } from "./api-types.d.ts";
import { createClient } from "./client.js";
import { recordExchange } from "./exchanges.ts";

/** Who is signed in, in this tab and all others: see docs/client.md. */
export const session = createClient();

/** Every call of every page. The types come from the OpenAPI document: a page cannot call what is not there. */
export const api = createApi<paths>({
  baseUrl: location.origin,
  fetch: (request) => recordExchange(request, (recorded) => session.fetch(recorded)),
});

/** What this server refuses with (RFC 9457), with the members that some problems add. */
export type Problem = {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: string;
  readonly gate: string;
  readonly request_id: string;
  readonly errors?: readonly { readonly pointer: string; readonly detail: string; readonly code: string }[];
  readonly retry_after_seconds?: number;
  readonly reason?: string;
};

/** What an operation of the API answers with when all is well. */
export type Success<Operation> = Operation extends { responses: infer Responses }
  ? Responses extends { 200: Json<infer Body> }
    ? Body
    : Responses extends { 201: Json<infer Body> }
      ? Body
      : never
  : never;
type Json<Body> = { content: { "application/json": Body } };

export type User = Success<paths["/users/me"]["get"]>;

/** An answer as a page works with it: what was asked for, or why not. */
export type Answer<Data> = { readonly data: Data } | { readonly problem: Problem };

type Fetched<Data> = { readonly data?: Data | undefined; readonly error?: unknown; readonly response: Response };

/** Calls the API and never throws: a server that is away, or an answer that is none, is a problem too. */
export async function ask<Data>(call: Promise<Fetched<Data>>): Promise<Answer<Data>> {
  try {
    const { data, error, response } = await call;
    if (response.ok) return { data: data as Data };
    return { problem: asProblem(error) ?? unreadable(response.status) };
  } catch {
    return { problem: unreachable };
  }
}

/** The problem in an answer that was fetched by hand. */
export async function problemOf(response: Response): Promise<Problem> {
  const body: unknown = await response.json().catch(() => undefined);
  return asProblem(body) ?? unreadable(response.status);
}

function asProblem(body: unknown): Problem | undefined {
  return typeof body === "object" && body !== null && "code" in body && "detail" in body
    ? (body as Problem)
    : undefined;
}

const here = { type: "", code: "", gate: "", request_id: "" } as const;

export const unreachable: Problem = {
  ...here,
  status: 0,
  title: "The server did not answer",
  detail: "Either it is not running or the network is away. Nothing is lost: try again in a moment.",
};

function unreadable(status: number): Problem {
  const detail = "Something between this page and the server answered in its place. Try again in a moment.";
  return { ...here, status, title: "An answer that cannot be read", detail };
}
