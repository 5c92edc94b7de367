import { EventSourceParserStream } from "eventsource-parser/stream";
import { useEffect, useState } from "preact/hooks";
import type { paths } from "../api-types.d.ts";
import { session, type Success } from "../server.ts";

export type Decision = Success<paths["/admin/decisions/{request_id}"]["get"]>;

const decisionsMax = 200;
const waitMillisecondsMin = 1_000;
const waitMillisecondsMax = 30_000;

export type Refusals = { readonly decisions: readonly Decision[]; readonly state: "open" | "lost" };

/**
 * Refusals as they happen, the newest first, the last two hundred. A stream that breaks is taken up where it broke
 * (`Last-Event-ID`). Not an EventSource: that cannot send the access token, which goes in a header and nowhere else.
 */
export function useRefusals(first: readonly Decision[], gate: string | undefined, isLive: boolean): Refusals {
  const [decisions, setDecisions] = useState(first);
  const [state, setState] = useState<Refusals["state"]>("open");
  useEffect(() => {
    if (!isLive) return;
    const stop = new AbortController();
    const take = (decision: Decision): void =>
      setDecisions((before) =>
        before.some(({ id }) => id === decision.id) ? before : [decision, ...before].slice(0, decisionsMax),
      );
    void follow({ gate, lastId: decisions[0]?.id, take, setState, signal: stop.signal });
    return () => stop.abort();
  }, [gate, isLive]);
  return { decisions, state };
}

type Following = {
  readonly gate: string | undefined;
  readonly lastId: string | undefined;
  readonly take: (decision: Decision) => void;
  readonly setState: (state: Refusals["state"]) => void;
  readonly signal: AbortSignal;
};

async function follow({ gate, lastId, take, setState, signal }: Following): Promise<void> {
  let last = lastId;
  let wait = waitMillisecondsMin;
  while (!signal.aborted) {
    try {
      for await (const decision of readStream(gate, last, signal)) {
        take(decision);
        last = decision.id;
        wait = waitMillisecondsMin;
        setState("open");
      }
    } catch {
      // Below: it is tried again, later and later.
    }
    if (signal.aborted) return;
    setState("lost");
    await pause(wait, signal);
    wait = Math.min(wait * 2, waitMillisecondsMax);
  }
}

async function* readStream(
  gate: string | undefined,
  last: string | undefined,
  signal: AbortSignal,
): AsyncGenerator<Decision> {
  const headers = last === undefined ? {} : { "last-event-id": last };
  const query = gate === undefined ? "" : `?gate=${encodeURIComponent(gate)}`;
  const response = await session.fetch(`/admin/decisions/stream${query}`, { headers, signal });
  if (!response.ok || response.body === null) throw new Error(`The stream was answered ${response.status}.`);
  const reader = response.body
    .pipeThrough(new TextDecoderStream())
    .pipeThrough(new EventSourceParserStream())
    .getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    if (value.event !== "decision") continue; // "skipped": there were more than a person could read.
    yield JSON.parse(value.data) as Decision;
  }
}

async function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener(
      "abort",
      () => {
        clearTimeout(timer);
        resolve();
      },
      { once: true },
    );
  });
}
