import type { FastifyReply, FastifyRequest } from "fastify";
import { Problem, problemBody, type ProblemCode } from "../../contract/problems.ts";
import { isDatabaseUnavailable, isUnstorableText } from "../database/database-faults.ts";
import { isReadOnlyWindow } from "../database/read-only-window.ts";
import type { Platform } from "../platform.ts";
import { challenge } from "./access.ts";
import { shownText } from "./shown-text.ts";

const fastifyProblems: Readonly<Record<string, ProblemCode>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: "body-too-large",
  FST_ERR_CTP_INVALID_MEDIA_TYPE: "unsupported-media-type",
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: "malformed-request",
  FST_ERR_BAD_URL: "malformed-request",
  FST_ERR_MAX_PARAM_LENGTH: "malformed-request",
  ECONNRESET: "malformed-request",
};

/** Whatever was thrown, as the problem that the client may know. Anything unforeseen is `internal`. */
export function asProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  if (isReadOnlyWindow(error)) return new Problem("read-only", { headers: { "retry-after": "5" }, cause: error });
  if (isDatabaseUnavailable(error))
    return new Problem("database-unavailable", { headers: { "retry-after": "1" }, cause: error });
  if (isUnstorableText(error)) return new Problem("malformed-request", { cause: error });
  const code = fastifyProblems[String((error as { code?: unknown } | null)?.code)];
  return new Problem(code ?? "internal", { cause: error });
}

/** Sends a refusal as RFC 9457 problem+json. */
export async function sendProblem(
  { config }: Pick<Platform, "config">,
  problem: Problem,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const missingPermission = problem.members["missing_permission"];
  const authenticateHeader = challenge(
    problem.code,
    config.reauthenticationAgeSeconds,
    typeof missingPermission === "string" ? missingPermission : undefined,
  );
  if (authenticateHeader !== undefined) reply.header("www-authenticate", authenticateHeader);
  const body = problemBody(problem, {
    publicUrl: config.publicUrl,
    instance: pathOf(request.url),
    requestId: problem.requestId ?? request.id,
  });
  return reply
    .code(problem.status)
    .headers(problem.headers)
    .header("cache-control", "no-store")
    .type("application/problem+json; charset=utf-8")
    .serializer((payload: unknown) => payload as string)
    .send(JSON.stringify(body));
}

/** The path of a target without its query, at most 256 characters: what logs, decisions and problems may show. */
export function pathOf(target: string): string {
  const end = target.indexOf("?");
  return shownText((end === -1 ? target : target.slice(0, end)).slice(0, 256));
}
