import { useEffect, useRef } from "preact/hooks";
import { type GateReport, gates } from "../gates.ts";
import { labWords as words } from "./lab-words.ts";
import type { LiveAnswer } from "../parts/send-request.ts";

/** The seven gates as a road. What eyes see move, a list says in words. */
export function GateTrack({ answer }: { readonly answer: LiveAnswer | undefined }) {
  const road = useRef<HTMLOListElement>(null);
  const reports = answer?.gates ?? [];
  const last = reports.length - 1;
  // Where the request stands: before the first gate, at one of them, or through them all.
  const place = last < 0 ? 0 : reports[last]?.outcome === "refused" ? last + 0.5 : gates.length;
  useEffect(() => {
    const element = road.current;
    if (element === null || answer === undefined) return;
    element.classList.remove("moving");
    element.style.setProperty("--place", "0");
    void element.offsetWidth; // The way begins at the first gate, also the second time.
    element.classList.add("moving");
    element.style.setProperty("--place", String(place));
  }, [answer]);
  return (
    <section aria-labelledby="gates-title">
      <h2 id="gates-title">{words.gates}</h2>
      <output class="track-outcome">{outcome(answer)}</output>
      <ol class="track" ref={road}>
        {gates.map((gate, index) => (
          <GateItem key={gate} gate={gate} report={reports[index]} hasAnswer={answer !== undefined} />
        ))}
        <li class="track-request" aria-hidden="true" role="presentation" />
      </ol>
    </section>
  );
}

function outcome(answer: LiveAnswer | undefined): string {
  if (answer === undefined) return words.gatesBefore;
  const last = answer.gates.at(-1);
  if (last === undefined) return words.answeredWithoutGates(answer.status);
  return last.outcome === "refused" ? words.refusedAt(answer.status, last.gate) : words.passedAll(answer.status);
}

type GateItemProps = {
  readonly gate: string;
  readonly report: GateReport | undefined;
  readonly hasAnswer: boolean;
};

function GateItem({ gate, report, hasAnswer }: GateItemProps) {
  const state = report?.outcome ?? "not-reached";
  const said = report === undefined ? words.notReached : words[report.outcome];
  return (
    <li class={`track-gate ${hasAnswer ? state : "waiting"}`}>
      <strong>{gate}</strong>
      {hasAnswer ? (
        <>
          <span class="track-state">{said}</span>
          <span class="track-saw">{report?.saw}</span>
          {report && !Number.isNaN(report.milliseconds) ? (
            <span class="track-time">{words.milliseconds(report.milliseconds)}</span>
          ) : null}
        </>
      ) : null}
    </li>
  );
}
