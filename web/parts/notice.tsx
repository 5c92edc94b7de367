import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { Problem } from "../server.ts";
import { partWords as words } from "./part-words.ts";

type NoticeProps = {
  readonly kind: "good" | "bad" | "plain";
  readonly title: string;
  readonly children?: ComponentChildren;
};

/** Something that a person should read now. Bad news interrupts a screen reader, good news waits. */
export function Notice({ kind, title, children }: NoticeProps) {
  return (
    <div class={`notice ${kind}`} role={kind === "bad" ? "alert" : "status"}>
      <p class="notice-title">{title}</p>
      {children}
    </div>
  );
}

type ProblemNoticeProps = {
  readonly problem: Problem;
  /** Offered when trying again may help. */
  readonly onRetry?: (() => void) | undefined;
};

/** A refusal: what happened, what to do, which gate, and its page. After a 429 it counts down to the truth. */
export function ProblemNotice({ problem, onRetry }: ProblemNoticeProps) {
  const { type, gate, request_id: requestId, retry_after_seconds: seconds } = problem;
  const { title, detail } = words.problems[problem.code] ?? problem;
  return (
    <Notice kind="bad" title={title}>
      <p>{detail}</p>
      {seconds === undefined ? null : <Countdown key={requestId} seconds={seconds} />}
      {type === "" ? null : (
        <p class="quiet">
          <a href={new URL(type).pathname}>{words.why}</a> · <code>{gate}</code> · {words.requestId}{" "}
          <code class="id">{requestId}</code>
        </p>
      )}
      {onRetry === undefined ? null : (
        <p>
          <button type="button" onClick={onRetry}>
            {words.tryAgain}
          </button>
        </p>
      )}
    </Notice>
  );
}

/** Seconds left until `Retry-After` is over, by a clock that nobody sets back. Announced at its end, not each second. */
export function useCountdown(seconds: number | undefined): number {
  const [left, setLeft] = useState(seconds ?? 0);
  useEffect(() => {
    if (seconds === undefined) return;
    const end = performance.now() + seconds * 1000;
    const tick = (): void => setLeft(Math.max(0, Math.ceil((end - performance.now()) / 1000)));
    tick();
    const timer = setInterval(tick, 250);
    return () => clearInterval(timer);
  }, [seconds]);
  return seconds === undefined ? 0 : left;
}

function Countdown({ seconds }: { readonly seconds: number }) {
  const left = useCountdown(seconds);
  return (
    <>
      <p aria-hidden={left > 0 ? "true" : undefined}>{left > 0 ? words.waitSeconds(left) : words.waitOver}</p>
      <p class="away">{words.waitSeconds(seconds)}</p>
    </>
  );
}
