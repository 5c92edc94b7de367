import type { Socket } from "node:net";
import { Problem, problemBody, type ProblemCode } from "../../contract/problems.ts";
import type { Platform } from "../platform.ts";
import { noteUnreadable } from "./request-log.ts";
import { securityHeaders } from "./security-headers.ts";
import { reasonOf } from "./web-pages.ts";

const codes: Readonly<Record<string, ProblemCode>> = {
  HPE_HEADER_OVERFLOW: "headers-too-large",
  ERR_HTTP_REQUEST_TIMEOUT: "request-timeout",
};

/** Answers what Node's parser could not read as HTTP: there is no request and no reply, only a socket. */
export function answerBrokenConnection(
  { config, secrets, ...counted }: Pick<Platform, "config" | "secrets" | "log" | "metrics">,
  error: Error & { code?: string },
  socket: Socket,
  isRequestUnderWay: boolean,
): void {
  if (error.code === "ECONNRESET" || !socket.writable) {
    socket.destroy();
    return;
  }
  const problem = new Problem(codes[error.code ?? ""] ?? "malformed-request");
  const requestId = secrets.uuid();
  // What ends in the middle of a request has the line of that one.
  if (!isRequestUnderWay) noteUnreadable(counted, requestId, problem);
  const body = JSON.stringify(problemBody(problem, { publicUrl: config.publicUrl, instance: "", requestId }));
  const headers = {
    ...securityHeaders(config.publicUrl).api,
    "x-request-id": requestId,
    "content-type": "application/problem+json; charset=utf-8",
    "content-length": String(Buffer.byteLength(body)),
    connection: "close",
  };
  const head = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.end(`HTTP/1.1 ${problem.status} ${reasonOf(problem.status)}\r\n${head.join("")}\r\n${body}`);
}
