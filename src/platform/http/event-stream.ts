import { Readable } from "node:stream";
import type { FastifyReply } from "fastify";

/** What a reader may leave unread before it is dropped: nobody waits for a slow one. */
const unreadBytesMax = 256 * 1024;

/** What the browser waits before it connects again. */
const reconnectMilliseconds = 2_000;

export type ServerEvent = {
  /** Where to go on from, as `Last-Event-ID`. */
  readonly id?: string;
  readonly event: string;
  /** One line, as JSON is. */
  readonly data: string;
};

export type EventStream = {
  readonly send: (event: ServerEvent) => void;
  /** A comment, so that proxies and readers know that it lives. */
  readonly beat: () => void;
  readonly end: () => void;
  /** What the handler returns: Fastify sends it as any other answer, so hooks, log and stop see an ordinary request. */
  readonly body: Readable;
};

/** Server-Sent Events (WHATWG HTML §9.2) as the answer of one request. `onClose`: it is over, whoever ended it. */
export function createEventStream(reply: FastifyReply, onClose: () => void): EventStream {
  reply.type("text/event-stream; charset=utf-8").header("x-accel-buffering", "no");
  // All is pushed as it comes; what is not read stays in the buffer, whose size is looked at.
  const body = new Readable({ read: () => undefined });
  let isOver = false;
  body.once("close", () => {
    isOver = true;
    onClose();
  });
  const push = (text: string): void => {
    if (isOver) return;
    body.push(text);
    // Behind the buffer, the socket keeps what the network does not take.
    if (body.readableLength + reply.raw.writableLength <= unreadBytesMax) return;
    isOver = true;
    body.destroy();
    reply.raw.destroy();
  };
  push(`retry: ${reconnectMilliseconds}\n\n`);
  return {
    send: ({ id, event, data }) => push(`${id === undefined ? "" : `id: ${id}\n`}event: ${event}\ndata: ${data}\n\n`),
    beat: () => push(":\n\n"),
    end: () => {
      if (isOver) return;
      isOver = true;
      body.push(null);
    },
    body,
  };
}
