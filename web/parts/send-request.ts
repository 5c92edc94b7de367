import { type GateReport, gates, readServerTiming } from "../gates.ts";
import type { Problem } from "../server.ts";
import { type LiveRequest, mayHaveBody, readHeaders } from "./live-request.ts";

export type LiveAnswer = {
  readonly status: number;
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** As text; JSON with its members a line each. */
  readonly body: string;
  readonly problem: Problem | undefined;
  /** Each gate that was passed or refused; in production only which one refused. */
  readonly gates: readonly GateReport[];
  readonly milliseconds: number;
};

const bodyShownMax = 20_000;

/**
 * Sends a request to this server as it stands, without the page's own cookies. Throws when there is no answer.
 *
 * @param token put into Authorization, unless the headers have one.
 */
export async function sendRequest(request: LiveRequest, token: string | undefined): Promise<LiveAnswer> {
  const { method, path } = request;
  const read = readHeaders(request.headers);
  const headers = new Headers("headers" in read ? read.headers : []);
  if (token !== undefined && !headers.has("authorization")) headers.set("authorization", `Bearer ${token}`);
  const body = mayHaveBody(request) ? request.body : null;
  // A browser names a content type of its own where none is said; the server should see what stands in the form.
  const content = body === null || headers.has("content-type") ? body : new Blob([body]);
  const startedAt = performance.now();
  const response = await fetch(path, { method, headers, body: content, credentials: "omit", redirect: "manual" });
  const text = await response.text();
  return answerOf(response, text, performance.now() - startedAt);
}

function answerOf(response: Response, text: string, milliseconds: number): LiveAnswer {
  const isJson = /json/.test(response.headers.get("content-type") ?? "");
  const parsed = isJson ? parseJson(text) : undefined;
  const problem = response.status >= 400 && isProblem(parsed) ? parsed : undefined;
  return {
    status: response.status,
    headers: [...response.headers],
    body: shorten(parsed === undefined ? text : JSON.stringify(parsed, null, 2)),
    problem,
    gates: gatesOf(response.headers.get("server-timing") ?? "", problem, response.status),
    milliseconds,
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function isProblem(body: unknown): body is Problem {
  return typeof body === "object" && body !== null && "gate" in body && "code" in body;
}

function shorten(text: string): string {
  return text.length <= bodyShownMax ? text : `${text.slice(0, bodyShownMax)}\n… ${text.length - bodyShownMax} more`;
}

/** Where the server does not tell its gates, a refusal still names the one that decided. */
function gatesOf(serverTiming: string, problem: Problem | undefined, status: number): readonly GateReport[] {
  const told = readServerTiming(serverTiming);
  if (told.length > 0) return told;
  const last = problem ? gates.findIndex((gate) => gate === problem.gate) : status < 400 ? gates.length : -1;
  return gates.slice(0, last + 1).map((gate, index) => ({
    gate,
    outcome: problem && index === last ? "refused" : "passed",
    saw: problem && index === last ? problem.code : "",
    milliseconds: Number.NaN,
  }));
}
