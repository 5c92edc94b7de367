import type { Logger } from "pino";
import type { Clock } from "../clock.ts";
import { tollgateVersion } from "../version.ts";

/** A piece of work that is over. Times in milliseconds since the epoch. */
export type FinishedSpan = {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string | undefined;
  readonly name: string;
  readonly kind: "server" | "internal";
  readonly startedAt: number;
  readonly endedAt: number;
  readonly attributes: Readonly<Record<string, string | number>>;
  readonly isFailed: boolean;
};

export type TraceExporter = {
  /** Never waits, never throws: what there is no room for is dropped. */
  readonly add: (span: FinishedSpan) => void;
  /** Sends what is there; afterwards nothing more. */
  readonly close: () => Promise<void>;
};

type Parts = {
  /** With its path: …/v1/traces. */
  readonly address: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly clock: Pick<Clock, "monotonicNow">;
  readonly log: Pick<Logger, "warn">;
  readonly onDropped: (spans: number) => void;
};

const spansMax = 2_048;
const batchMax = 512;
const sendEveryMilliseconds = 2_000;
const sendMillisecondsMax = 3_000;
const closeMillisecondsMax = 1_000;
const logEveryMilliseconds = 60_000;

/**
 * Brings spans to an OpenTelemetry collector (OTLP 1.x over HTTP, in JSON). One request at a time, a bounded queue before
 * it: a collector that is away, slow or full costs spans, and nothing else.
 */
export function createTraceExporter({ address, headers, clock, log, onDropped }: Parts): TraceExporter {
  let queue: FinishedSpan[] = [];
  let underWay: Promise<unknown> | undefined;
  let isClosed = false;
  let toldAt = Number.NEGATIVE_INFINITY;
  const tell = (reason: string): void => {
    if (clock.monotonicNow() - toldAt < logEveryMilliseconds) return;
    toldAt = clock.monotonicNow();
    log.warn({ part: "traces", reason }, "the collector of traces does not take them: they are dropped");
  };
  /** Whether it was taken, and there may be more. */
  const sendBatch = async (milliseconds: number): Promise<boolean> => {
    const batch = queue.slice(0, batchMax);
    queue = queue.slice(batchMax);
    if (batch.length === 0) return false;
    const reason = await post(address, headers, JSON.stringify(exportRequest(batch)), milliseconds);
    if (reason === undefined) return true;
    onDropped(batch.length);
    tell(reason);
    return false;
  };
  const send = (): void => {
    underWay ??= sendBatch(sendMillisecondsMax).finally(() => {
      underWay = undefined;
      if (queue.length >= batchMax && !isClosed) send();
    });
  };
  const timer = setInterval(send, sendEveryMilliseconds).unref();
  return {
    add: (span) => {
      if (isClosed || queue.length >= spansMax) {
        onDropped(1);
        return;
      }
      queue.push(span);
      if (queue.length >= batchMax) send();
    },
    close: async () => {
      isClosed = true;
      clearInterval(timer);
      await underWay;
      while (await sendBatch(closeMillisecondsMax));
      onDropped(queue.length);
      queue = [];
    },
  };
}

/** Why it was not taken; undefined when it was. */
async function post(
  address: string,
  headers: Readonly<Record<string, string>>,
  body: string,
  milliseconds: number,
): Promise<string | undefined> {
  try {
    const answer = await fetch(address, {
      method: "POST",
      headers: { ...headers, "content-type": "application/json" },
      body,
      redirect: "error",
      signal: AbortSignal.timeout(milliseconds),
    });
    await answer.body?.cancel();
    return answer.ok ? undefined : `answered ${answer.status}`;
  } catch (error) {
    const { cause } = error as { readonly cause?: { readonly code?: unknown } };
    return typeof cause?.code === "string" ? cause.code : (error as Error).name;
  }
}

const kinds = { internal: 1, server: 2 } as const;
const failedStatus = 2;

/** An ExportTraceServiceRequest in the JSON of protobuf, ids in hex as OTLP wants them. */
function exportRequest(spans: readonly FinishedSpan[]): object {
  return {
    resourceSpans: [
      {
        resource: { attributes: keyValues({ "service.name": "tollgate", "service.version": tollgateVersion }) },
        scopeSpans: [{ scope: { name: "tollgate", version: tollgateVersion }, spans: spans.map(spanBody) }],
      },
    ],
  };
}

function spanBody({ kind, startedAt, endedAt, attributes, isFailed, ...ids }: FinishedSpan): object {
  return {
    ...ids,
    kind: kinds[kind],
    startTimeUnixNano: nanoseconds(startedAt),
    endTimeUnixNano: nanoseconds(endedAt),
    attributes: keyValues(attributes),
    ...(isFailed ? { status: { code: failedStatus } } : {}),
  };
}

/** As text: a double has no room for them. */
function nanoseconds(milliseconds: number): string {
  return `${Math.round(milliseconds * 1_000)}000`;
}

function keyValues(attributes: FinishedSpan["attributes"]): object[] {
  return Object.entries(attributes).map(([key, value]) => ({
    key,
    value: typeof value === "number" ? { intValue: String(value) } : { stringValue: value },
  }));
}
