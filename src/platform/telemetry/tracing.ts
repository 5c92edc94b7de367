import { AsyncLocalStorage } from "node:async_hooks";
import { randomBytes } from "node:crypto";
import type { Clock } from "../clock.ts";
import type { TraceExporter } from "./trace-exporter.ts";

/** A request while it is under way. */
export type RequestSpan = {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string | undefined;
  readonly isRecorded: boolean;
  readonly startedAt: number;
  readonly startedMonotonic: number;
  childrenLeft: number;
};

export type Tracing = {
  /** @param traceparent of the header (W3C Trace Context), where it may be believed; the trace then goes on. */
  readonly begin: (traceparent: string | undefined) => RequestSpan;
  /** Whatever is done in `work` belongs to the request. */
  readonly within: <T>(span: RequestSpan, work: () => T) => T;
  readonly end: (
    span: RequestSpan,
    about: {
      readonly name: string;
      readonly attributes: Readonly<Record<string, string | number>>;
      readonly isFailed: boolean;
    },
  ) => void;
  /** Does the work as a part of the request that waits for it, if one does. The name is one of few. */
  readonly part: <T>(name: string, work: () => Promise<T>) => Promise<T>;
  readonly close: () => Promise<void>;
};

const childrenMax = 64;
const traceparentPattern = /^00-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})$/;

/** @param share of the traces that are recorded; of one that goes on, whoever began it has decided. */
export function createTracing(
  exporter: TraceExporter,
  clock: Pick<Clock, "now" | "monotonicNow">,
  share: number,
): Tracing {
  const current = new AsyncLocalStorage<RequestSpan>();
  return {
    begin: (traceparent) => {
      const [, traceId, parentSpanId, flags = ""] = traceparentPattern.exec(traceparent ?? "") ?? [];
      const isSampled = traceId === undefined ? isIncluded(share) : (Number.parseInt(flags, 16) & 1) === 1;
      return {
        traceId: traceId ?? hex(16),
        spanId: hex(8),
        parentSpanId,
        isRecorded: isSampled,
        startedAt: clock.now(),
        startedMonotonic: clock.monotonicNow(),
        childrenLeft: childrenMax,
      };
    },
    within: (span, work) => current.run(span, work),
    end: ({ traceId, spanId, parentSpanId, isRecorded, startedAt, startedMonotonic }, about) => {
      if (!isRecorded) return;
      const endedAt = startedAt + clock.monotonicNow() - startedMonotonic;
      exporter.add({ traceId, spanId, parentSpanId, ...about, kind: "server", startedAt, endedAt });
    },
    part: async (name, work) => {
      const request = current.getStore();
      if (request === undefined || !request.isRecorded || request.childrenLeft === 0) return work();
      request.childrenLeft -= 1;
      const began = clock.monotonicNow();
      let isFailed = true;
      try {
        const result = await work();
        isFailed = false;
        return result;
      } finally {
        // By the clock that does not jump, from the request's beginning.
        const at = (monotonic: number): number => request.startedAt + monotonic - request.startedMonotonic;
        const { traceId, spanId: parentSpanId } = request;
        const times = { startedAt: at(began), endedAt: at(clock.monotonicNow()) };
        exporter.add({
          traceId,
          spanId: hex(8),
          parentSpanId,
          name,
          kind: "internal",
          ...times,
          attributes: {},
          isFailed,
        });
      }
    },
    close: exporter.close,
  };
}

function hex(bytes: number): string {
  return randomBytes(bytes).toString("hex");
}

function isIncluded(share: number): boolean {
  return share >= 1 || Math.random() < share;
}
