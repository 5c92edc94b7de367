import assert from "node:assert/strict";
import type { TestContext } from "node:test";

export type StreamEvent = {
  readonly id?: string;
  readonly event?: string;
  readonly data?: string;
  readonly comment?: true;
};

/** A reader of Server-Sent Events: what has come, one after the other. */
type Reader = {
  readonly response: Response;
  /** The next one. `undefined` when the stream has ended. */
  readonly next: () => Promise<StreamEvent | undefined>;
  readonly close: () => void;
};

export async function openStream(
  t: TestContext,
  url: string,
  { token, query = "", lastEventId }: { token: string; query?: string; lastEventId?: string | undefined },
): Promise<Reader> {
  const stopped = new AbortController();
  t.after(() => stopped.abort());
  const response = await fetch(`${url}/admin/decisions/stream${query}`, {
    headers: {
      authorization: `Bearer ${token}`,
      ...(lastEventId === undefined ? {} : { "last-event-id": lastEventId }),
    },
    signal: stopped.signal,
  });
  const texts = response.body?.pipeThrough(new TextDecoderStream())[Symbol.asyncIterator]();
  let text = "";
  const next = async (): Promise<StreamEvent | undefined> => {
    for (;;) {
      const end = text.indexOf("\n\n");
      if (end !== -1) {
        const block = text.slice(0, end);
        text = text.slice(end + 2);
        if (!block.startsWith("retry:")) return parse(block);
        continue;
      }
      const chunk = await texts?.next();
      if (chunk === undefined || chunk.done === true) return undefined;
      text += chunk.value;
    }
  };
  return { response, next, close: () => stopped.abort() };
}

function parse(block: string): StreamEvent {
  if (block.startsWith(":")) return { comment: true };
  return Object.fromEntries(block.split("\n").map((line) => line.split(/: (.*)/s).slice(0, 2)));
}

type Told = { readonly id: string; readonly requestId: string };

/** The refusals for want of a token: `next` gives all that came since the stream was opened, once there are so many. */
export async function openRefusals(
  t: TestContext,
  url: string,
  { token, lastEventId }: { readonly token: string; readonly lastEventId?: string | undefined },
): Promise<{ readonly next: (count: number) => Promise<readonly Told[]> }> {
  const { response, next } = await openStream(t, url, { token, query: "?code=token-missing", lastEventId });
  assert.equal(response.status, 200);
  const told: Told[] = [];
  return {
    next: async (count) => {
      while (told.length < count) {
        const { event, id = "", data = "" } = (await next()) ?? assert.fail("the stream ended");
        if (event !== "decision") continue;
        told.push({ id, requestId: (JSON.parse(data) as { request_id: string }).request_id });
      }
      return [...told];
    },
  };
}
