import assert from "node:assert/strict";
import { sendRaw } from "./raw-http.ts";
import type { ServerProcess } from "./server-process.ts";

const smuggled = "GET /smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n";
const post = "POST /users/ HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n";
const get = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`;
const chunked = `0\r\n\r\n${smuggled}`;
// So that the connection ends with the last answer.
const last = (text: string): string => text.replace(/\r\n\r\n$/, "\r\nConnection: close\r\n\r\n");

/** Requests that two readers may end at different places (RFC 9112 §6), each with another one behind its end. */
const hostile: readonly string[] = [
  `${post}Content-Length: ${chunked.length}\r\nTransfer-Encoding: chunked\r\n\r\n${chunked}`,
  `${post}Transfer-Encoding: chunked\r\nContent-Length: ${chunked.length}\r\n\r\n${chunked}`,
  `${post}Content-Length: 2\r\nContent-Length: ${smuggled.length + 2}\r\n\r\n{}${smuggled}`,
  `${post}Content-Length: 2, ${smuggled.length + 2}\r\n\r\n{}${smuggled}`,
  `${post}Content-Length: +2\r\n\r\n{}${smuggled}`,
  `${post}Content-Length: 0x2\r\n\r\n{}${smuggled}`,
  `${post}Content-Length : 2\r\n\r\n{}${smuggled}`,
  `${post}Transfer-Encoding : chunked\r\n\r\n${chunked}`,
  `${post}Transfer-Encoding: xchunked\r\n\r\n${chunked}`,
  `${post}Transfer-Encoding: chunked, identity\r\n\r\n${chunked}`,
  `${post}Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n\r\n${chunked}`,
  `${post}Transfer-Encoding:\u000bchunked\r\n\r\n${chunked}`,
  `${post}Transfer-Encoding: chunked\r\n\r\n2;ext="\n"\r\n{}\r\n${chunked}`,
  `${post}Transfer-Encoding: chunked\r\n\r\n-2\r\n{}\r\n${chunked}`,
  `${post}Transfer-Encoding: chunked\r\n\r\n10000000000000002\r\n{}\r\n${chunked}`,
  `${post}X: a\r\n Content-Length: 2\r\n\r\n{}${smuggled}`,
  `${post}X: a\rContent-Length: 2\r\n\r\n{}${smuggled}`,
  `${post}X: a\nContent-Length: 2\n\n{}${smuggled}`,
  `GET /first HTTP/1.1\nHost: localhost\n\n${smuggled}`,
  `GET /first HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n${smuggled}`,
  `GET http://evil.example/first HTTP/1.1\r\nHost: localhost\r\n\r\n${smuggled}`,
  `GET /first HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n${chunked}`,
  `TRACE / HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${smuggled.length}\r\n\r\n${smuggled}`,
];

/**
 * Sends what is hostile to each port, directly or through a proxy, and after each what is plain: everybody gets the
 * answer to what they asked (ASVS 4.2.1, requirement 77). Stops the server, whose log must be at "info".
 */
export async function assertNoSmuggling(server: ServerProcess, ports: readonly number[]): Promise<void> {
  let answered = 0;
  for (const port of ports) {
    for (const [index, bytes] of hostile.entries()) {
      // A request that both read alike may be followed by another one, which is then no smuggled one.
      const answers = await sendRaw(port, bytes, { waitMilliseconds: 250 });
      const second = answers.filter(({ body }) => body.includes('"instance":"/smuggled"')).length;
      if (port === server.port && !isTwoRequests(bytes)) assert.equal(second, 0, `${index} directly`);
      answered += second;
      await assertOwnAnswers(port, index);
    }
  }
  assert.equal(server.process.exitCode, null);
  await server.stop();
  // What the proxy read as a request of its own, it answered as one: none came in the shadow of another.
  assert.equal(server.output().match(/GET \/smuggled /g)?.length ?? 0, answered);
}

/** Whoever comes next through the same connections of the proxy gets the answer to what was asked. */
async function assertOwnAnswers(port: number, index: number): Promise<void> {
  const marks = Array.from({ length: 3 }, (_, turn) => `/mark-${port}-${index}-${turn}`);
  const marked = await sendRaw(port, last(marks.map(get).join("")), { waitMilliseconds: 5_000 });
  assert.deepEqual(
    marked.map(({ body }) => (JSON.parse(body) as { instance: string }).instance),
    marks,
    `after ${index}`,
  );
}

/** A body that ends in a last chunk, or none: what follows is the next request, to every reader. */
function isTwoRequests(bytes: string): boolean {
  return /^GET |^TRACE|Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n/.test(bytes);
}
