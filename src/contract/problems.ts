import type { Gate } from "./gates.ts";

export type ProblemEntry = {
  readonly status: number;
  readonly title: string;
  readonly gate: Gate;
  /** What the client reads when the throwing place says nothing more exact. */
  readonly detail: string;
  /** The page's text, one paragraph. */
  readonly whatHappened: string;
  readonly causes: readonly string[];
  /** What to do, in the order to try it. */
  readonly cures: readonly string[];
  /** An HTTP request, as text, that gets this answer. */
  readonly exampleRequest: string;
  /** Members that this problem adds to the standard ones, as an example. */
  readonly exampleMembers?: Readonly<Record<string, unknown>>;
};

/** SKELETON: replaced by the full catalogue. */
export const problems = {
  "not-found": { status: 404, title: "not-found", gate: "route", detail: "not-found", whatHappened: "", causes: [], cures: [], exampleRequest: "" },
  "method-not-allowed": { status: 405, title: "method-not-allowed", gate: "route", detail: "method-not-allowed", whatHappened: "", causes: [], cures: [], exampleRequest: "" },
  "malformed-request": { status: 400, title: "malformed-request", gate: "route", detail: "malformed-request", whatHappened: "", causes: [], cures: [], exampleRequest: "" },
  "headers-too-large": { status: 431, title: "headers-too-large", gate: "route", detail: "headers-too-large", whatHappened: "", causes: [], cures: [], exampleRequest: "" },
  "request-timeout": { status: 408, title: "request-timeout", gate: "route", detail: "request-timeout", whatHappened: "", causes: [], cures: [], exampleRequest: "" },
  "too-many-requests": { status: 429, title: "too-many-requests", gate: "limit", detail: "too-many-requests", whatHappened: "", causes: [], cures: [], exampleRequest: "" },
  "token-missing": { status: 401, title: "token-missing", gate: "authenticate", detail: "token-missing", whatHappened: "", causes: [], cures: [], exampleRequest: "" },
  "token-invalid": { status: 401, title: "token-invalid", gate: "authenticate", detail: "token-invalid", whatHappened: "", causes: [], cures: [], exampleRequest: "" },
  "token-expired": { status: 401, title: "token-expired", gate: "authenticate", detail: "token-expired", whatHappened: "", causes: [], cures: [], exampleRequest: "" },
  "session-ended": { status: 401, title: "session-ended", gate: "authenticate", detail: "session-ended", whatHappened: "", causes: [], cures: [], exampleRequest: "" },
  "reauthentication-required": { status: 401, title: "reauthentication-required", gate: "authenticate", detail: "reauthentication-required", whatHappened: "", causes: [], cures: [], exampleRequest: "" },
  "wrong-credentials": { status: 401, title: "wrong-credentials", gate: "authenticate", detail: "wrong-credentials", whatHappened: "", causes: [], cures: [], exampleRequest: "" },
  "two-credentials": { status: 400, title: "two-credentials", gate: "authenticate", detail: "two-credentials", whatHappened: "", causes: [], cures: [], exampleRequest: "" },
  "permission-denied": { status: 403, title: "permission-denied", gate: "authorize", detail: "permission-denied", whatHappened: "", causes: [], cures: [], exampleRequest: "" },
  "wrong-password": { status: 403, title: "wrong-password", gate: "authorize", detail: "wrong-password", whatHappened: "", causes: [], cures: [], exampleRequest: "" },
  "account-disabled": { status: 403, title: "account-disabled", gate: "authorize", detail: "account-disabled", whatHappened: "", causes: [], cures: [], exampleRequest: "" },
  "malformed-json": { status: 400, title: "malformed-json", gate: "validate", detail: "malformed-json", whatHappened: "", causes: [], cures: [], exampleRequest: "" },
  "body-too-large": { status: 413, title: "body-too-large", gate: "validate", detail: "body-too-large", whatHappened: "", causes: [], cures: [], exampleRequest: "" },
  "unsupported-media-type": { status: 415, title: "unsupported-media-type", gate: "validate", detail: "unsupported-media-type", whatHappened: "", causes: [], cures: [], exampleRequest: "" },
  "validation-failed": { status: 422, title: "validation-failed", gate: "validate", detail: "validation-failed", whatHappened: "", causes: [], cures: [], exampleRequest: "" },
  "user-not-found": { status: 404, title: "user-not-found", gate: "handle", detail: "user-not-found", whatHappened: "", causes: [], cures: [], exampleRequest: "" },
  "decision-not-found": { status: 404, title: "decision-not-found", gate: "handle", detail: "decision-not-found", whatHappened: "", causes: [], cures: [], exampleRequest: "" },
  "problem-unknown": { status: 404, title: "problem-unknown", gate: "handle", detail: "problem-unknown", whatHappened: "", causes: [], cures: [], exampleRequest: "" },
  "email-taken": { status: 409, title: "email-taken", gate: "handle", detail: "email-taken", whatHappened: "", causes: [], cures: [], exampleRequest: "" },
  "last-admin": { status: 409, title: "last-admin", gate: "handle", detail: "last-admin", whatHappened: "", causes: [], cures: [], exampleRequest: "" },
  "database-unavailable": { status: 503, title: "database-unavailable", gate: "depend", detail: "database-unavailable", whatHappened: "", causes: [], cures: [], exampleRequest: "" },
  "busy": { status: 503, title: "busy", gate: "depend", detail: "busy", whatHappened: "", causes: [], cures: [], exampleRequest: "" },
  "not-ready": { status: 503, title: "not-ready", gate: "depend", detail: "not-ready", whatHappened: "", causes: [], cures: [], exampleRequest: "" },
  "refresh-refused": { status: 401, title: "refresh-refused", gate: "authenticate", detail: "refresh-refused", whatHappened: "", causes: [], cures: [], exampleRequest: "" },
  "foreign-origin": { status: 403, title: "foreign-origin", gate: "authorize", detail: "foreign-origin", whatHappened: "", causes: [], cures: [], exampleRequest: "" },
  "session-not-found": { status: 404, title: "session-not-found", gate: "handle", detail: "session-not-found", whatHappened: "", causes: [], cures: [], exampleRequest: "" },
  "internal": { status: 500, title: "internal", gate: "handle", detail: "internal", whatHappened: "", causes: [], cures: [], exampleRequest: "" },
} as const satisfies Record<string, ProblemEntry>;
export type ProblemCode = keyof typeof problems;
export type Fault = { readonly pointer: string; readonly detail: string; readonly code: string };
type Options = { detail?: string; members?: Readonly<Record<string, unknown>>; headers?: Readonly<Record<string, string>>; cause?: unknown };
export class Problem extends Error {
  readonly code: ProblemCode; readonly status: number; readonly gate: Gate; readonly detail: string;
  readonly members: Readonly<Record<string, unknown>>; readonly headers: Readonly<Record<string, string>>;
  constructor(code: ProblemCode, options: Options = {}) {
    super(code, { cause: options.cause });
    this.code = code; const e: ProblemEntry = problems[code]; this.status = e.status; this.gate = e.gate;
    this.detail = options.detail ?? e.detail; this.members = options.members ?? {}; this.headers = options.headers ?? {};
  }
}
export function problemBody(problem: Problem, at: { publicUrl: string; instance: string; requestId: string }): Record<string, unknown> {
  return { ...problem.members, type: `${at.publicUrl}/errors/${problem.code}`, title: problems[problem.code].title, status: problem.status, detail: problem.detail, instance: at.instance, code: problem.code, request_id: at.requestId, gate: problem.gate };
}
