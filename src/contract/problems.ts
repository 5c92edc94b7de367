import type { Gate } from "./gates.ts";
import { authenticateProblems } from "./problem-catalogue/authenticate-problems.ts";
import { authorizeProblems } from "./problem-catalogue/authorize-problems.ts";
import { dependProblems } from "./problem-catalogue/depend-problems.ts";
import { handleProblems } from "./problem-catalogue/handle-problems.ts";
import { limitProblems } from "./problem-catalogue/limit-problems.ts";
import { routeProblems } from "./problem-catalogue/route-problems.ts";
import { validateProblems } from "./problem-catalogue/validate-problems.ts";
import type { ProblemEntry } from "./problem-entry.ts";

/**
 * Everything this server refuses with. One condition, one code; one code, one status.
 * Answers, pages, OpenAPI and docs/reference/problems.md are made from it.
 */
export const problems = {
  ...routeProblems,
  ...limitProblems,
  ...authenticateProblems,
  ...authorizeProblems,
  ...validateProblems,
  ...handleProblems,
  ...dependProblems,
} as const;

export type ProblemCode = keyof typeof problems;

/** A fault of one field. `pointer` is `#/email` in a body (RFC 6901), `?limit` in a query, `/id` in a path. */
export type Fault = { readonly pointer: string; readonly detail: string; readonly code: string };

export type ProblemOptions = {
  /** More exact than the catalogue's; holds no secret. */
  readonly detail?: string;
  /** Members beside the standard ones. */
  readonly members?: Readonly<Record<string, unknown>>;
  readonly headers?: Readonly<Record<string, string>>;
  /** Of the request that was first refused so, when this one is told the same again. */
  readonly requestId?: string;
  /** For the log; never for the client. */
  readonly cause?: unknown;
};

/** A refusal: thrown anywhere, answered with its status and its page. */
export class Problem extends Error {
  override readonly name = "Problem";
  readonly code: ProblemCode;
  readonly status: number;
  readonly gate: Gate;
  readonly detail: string;
  readonly members: Readonly<Record<string, unknown>>;
  readonly headers: Readonly<Record<string, string>>;
  readonly requestId: string | undefined;

  constructor(code: ProblemCode, { detail, members = {}, headers = {}, requestId, cause }: ProblemOptions = {}) {
    super(code, { cause });
    const entry: ProblemEntry = problems[code];
    this.code = code;
    this.status = entry.status;
    this.gate = entry.gate;
    this.detail = detail ?? entry.detail;
    this.members = members;
    this.headers = headers;
    this.requestId = requestId;
  }
}

export type ProblemPlace = { readonly publicUrl: string; readonly instance: string; readonly requestId: string };

/** The body of a refusal (RFC 9457 §3.1). No member of a problem's own can take the place of a standard one. */
export function problemBody(
  problem: Problem,
  { publicUrl, instance, requestId }: ProblemPlace,
): Record<string, unknown> {
  const { code, status, detail, gate, members } = problem;
  const { title } = problems[code];
  const standard = {
    type: `${publicUrl}/errors/${code}`,
    title,
    status,
    detail,
    instance,
    code,
    request_id: requestId,
    gate,
  };
  return { ...standard, ...members, ...standard };
}
