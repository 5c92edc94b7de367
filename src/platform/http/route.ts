import type { IncomingHttpHeaders } from "node:http";
import type { FastifyReply } from "fastify";
import type { Static, TObject, TSchema } from "typebox";
import type { LimitName } from "../../contract/limits.ts";
import type { Fault, ProblemCode } from "../../contract/problems.ts";
import type { TakenLimit } from "../rate-limit/take-limit.ts";
import { isAnonymous, type Access, type AnonymousAccess, type Caller } from "./access.ts";

export type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";

/** Where a request came from: for events, sessions and limits. Holds no secret. */
export type RequestOrigin = {
  readonly requestId: string;
  readonly address: string;
  /** At most 256 characters, without control characters. */
  readonly userAgent: string | null;
};

/** What a handler gets: everything in it has passed the gates. */
export type RouteRequest<A extends Access, P, Q, B> = {
  readonly params: P;
  readonly query: Q;
  readonly body: B;
  readonly caller: A extends AnonymousAccess ? undefined : Caller;
  readonly origin: RequestOrigin;
  /** What the limit gate counted; `undefined` when the limit is off. */
  readonly counted: TakenLimit | undefined;
  readonly headers: IncomingHttpHeaders;
  /** Asks the gates authenticate and authorize once more, for answers that go on for long. `false` on any doubt. */
  readonly isStillAllowed: () => Promise<boolean>;
};

type Part<S extends TObject | undefined> = S extends TObject ? Static<S> : undefined;

export type Route<
  A extends Access = Access,
  P extends TObject | undefined = TObject | undefined,
  Q extends TObject | undefined = TObject | undefined,
  B extends TObject | undefined = TObject | undefined,
> = {
  readonly method: Method;
  readonly url: string;
  readonly tag: string;
  readonly summary: string;
  readonly description?: string;
  /** No default on purpose: a route that forgets it does not start. */
  readonly access: A;
  /** The session's sign-in or re-authentication must be recent (RFC 9470). */
  readonly fresh?: true;
  /** No default on purpose. */
  readonly limit: LimitName | "unlimited";
  /** What is counted, when it is not the user or the address. `undefined`: not countable, `validate` will refuse it. */
  readonly limitKey?: (query: unknown) => string | undefined;
  readonly params?: P;
  readonly query?: Q;
  readonly body?: B;
  /** Rules that a schema cannot say, told together with the schema's faults. Gets what was sent, of whatever shape. */
  readonly rules?: (body: unknown, caller: Caller | undefined) => readonly Fault[];
  readonly success: {
    readonly status: 200 | 201 | 202 | 204 | 303;
    readonly description: string;
    readonly schema?: TSchema;
    readonly headers?: Readonly<Record<string, string>>;
    /** What 204 says, where there may be nothing to answer with. */
    readonly orNothing?: string;
    /** This answer has a page for people, when they ask for HTML. */
    readonly page?: true;
    /** This answer goes on and on, as Server-Sent Events. */
    readonly stream?: true;
  };
  /**
   * For a GET whose answer is made of the caller's account and nothing else: its handler waits for nothing and leaves its
   * reply alone. See direct-answers.ts.
   */
  readonly ofAccountAlone?: true;
  /** Not part of the contract: a page's own files. */
  readonly hidden?: true;
  /** Problems beyond those that access, limit and schemas bring by themselves. */
  readonly problems: readonly ProblemCode[];
  /** Answers, or promises an answer. */
  readonly handle: (request: RouteRequest<A, Part<P>, Part<Q>, Part<B>>, reply: FastifyReply) => unknown;
};

/** A route whose handler's types come from its schemas and its access. */
export function route<
  const A extends Access,
  P extends TObject | undefined = undefined,
  Q extends TObject | undefined = undefined,
  B extends TObject | undefined = undefined,
>(definition: Route<A, P, Q, B>): AnyRoute {
  // The gates have checked what the handler's types promise, so the types may be forgotten here.
  return definition as unknown as AnyRoute;
}

export type AnyRoute = Route<Access, TObject, TObject, TObject>;

/** Every problem a route can answer with: what its declaration brings and what it names. */
export function problemsOf(definition: AnyRoute): readonly ProblemCode[] {
  const codes = new Set<ProblemCode>(["malformed-request", "internal", "database-unavailable"]);
  if (definition.limit !== "unlimited") codes.add("too-many-requests");
  if (definition.access === "this-machine") codes.add("not-this-machine");
  else if (definition.access === "metrics-token") codes.add("token-missing").add("token-invalid");
  else if (definition.access !== "public") {
    for (const code of [
      "token-missing",
      "token-invalid",
      "token-expired",
      "session-ended",
      "two-credentials",
    ] as const) {
      codes.add(code);
    }
  }
  if (!isAnonymous(definition.access) && definition.access !== "signed-in") codes.add("permission-denied");
  if (definition.fresh) codes.add("reauthentication-required");
  if (definition.method !== "GET") {
    const ofWrites = ["malformed-json", "body-too-large", "unsupported-media-type", "read-only"] as const;
    for (const code of ofWrites) codes.add(code);
  }
  if (definition.body ?? definition.query ?? definition.params) codes.add("validation-failed");
  for (const code of definition.problems) codes.add(code);
  return [...codes];
}
