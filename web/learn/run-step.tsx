import { useState } from "preact/hooks";
import { readServerTiming } from "../gates.ts";
import type { Part, People } from "../parts/people.ts";
import type { LiveRequest } from "../parts/live-request.ts";
import { ProblemNotice } from "../parts/notice.tsx";
import { screenFacts } from "../parts/screen-facts.ts";
import { type LiveAnswer, sendRequest } from "../parts/send-request.ts";
import type { Answer, Problem } from "../server.ts";
import type { RunPart } from "./chapter-format.ts";
import { type ChapterAnswer, type ChapterValues, differences, fillIn, namesIn, valuesOf } from "./chapter-run.ts";
import { learnWords as words } from "./learn-words.ts";

/** What the steps of one chapter share: who is played, and the answers of the steps that have names. */
export type Stage = { readonly people: People; readonly values: Map<string, unknown> };

type RunStepProps = { readonly step: RunPart; readonly stage: Stage; readonly onDone: () => void };

type Outcome = { readonly request: LiveRequest; readonly answer: LiveAnswer; readonly faults: readonly string[] };

/** The button of a step, and what came of it. */
export function RunStep({ step, stage, onDone }: RunStepProps) {
  const [outcome, setOutcome] = useState<Outcome>();
  const [problem, setProblem] = useState<Problem>();
  const [fault, setFault] = useState("");
  const [isBusy, setIsBusy] = useState(false);
  const run = async (): Promise<void> => {
    setIsBusy(true);
    const ran = await runStep(step, stage).catch((error: unknown) => ({ fault: sentenceOf(error) }));
    setIsBusy(false);
    setFault("fault" in ran ? ran.fault : "");
    setProblem("problem" in ran ? ran.problem : undefined);
    if (!("data" in ran)) return;
    setOutcome(ran.data);
    if (ran.data.faults.length === 0) onDone();
  };
  if (!screenFacts.isDevelopment) return <p class="quiet">{words.runOnlyInDevelopment}</p>;
  return (
    <>
      <p class="actions">
        <button type="button" class="primary" disabled={isBusy} onClick={() => void run()}>
          {isBusy ? words.running : outcome ? words.runAgain : words.run}
        </button>
        <output>{outcome && outcome.faults.length === 0 ? words.asExpected : ""}</output>
      </p>
      <p class="field-error" role="alert">
        {fault}
      </p>
      {problem ? <ProblemNotice problem={problem} /> : null}
      {outcome ? <OutcomeView outcome={outcome} /> : null}
    </>
  );
}

function OutcomeView({ outcome }: { readonly outcome: Outcome }) {
  const { request, answer, faults } = outcome;
  const timing = answer.headers.find(([name]) => name === "server-timing")?.[1] ?? "";
  const way = readServerTiming(timing).map(({ gate, outcome: passed }) => (passed === "refused" ? `${gate} ✕` : gate));
  return (
    <>
      {faults.length > 0 ? (
        <div class="notice bad" role="alert">
          <p class="notice-title">{words.notAsExpected}</p>
          <ul>
            {faults.map((text) => (
              <li key={text}>{text}</li>
            ))}
          </ul>
        </div>
      ) : null}
      <p class="quiet">
        {words.sent}: <code>{`${request.method} ${request.path}`}</code>
        {way.length > 0 ? ` · ${words.gates(way.join(" → "))}` : ""}
      </p>
      <pre tabIndex={0} role="group" aria-label={words.answered} class="run-answer">
        <code>{`${answer.status}\n${answer.body}`}</code>
      </pre>
    </>
  );
}

async function runStep(step: RunPart, { people, values }: Stage): Promise<Answer<Outcome> | { fault: string }> {
  const named = new Set([...namesIn(step.request), ...namesIn(step.expect)]);
  const needed = (["user", "other", "administrator"] as const).filter(
    (part: Part) => named.has(part) || step.as === part || (part === "user" && named.has("token")),
  );
  const cast: Record<string, unknown> = {};
  for (const part of needed) {
    const person = await people.get(part);
    if ("problem" in person) return person;
    cast[part] = person.data;
    if (part === "user") cast["token"] = person.data.token;
  }
  const all: ChapterValues = { ...Object.fromEntries(values), ...cast, random: crypto.randomUUID().slice(0, 8) };
  const filled = fillIn(step.request, all);
  const request: LiveRequest = {
    method: filled.method,
    path: filled.path,
    headers: Object.entries(filled.headers)
      .map(([name, value]) => `${name}: ${value}`)
      .join("\n"),
    body: filled.body ?? "",
  };
  const token = await people.tokenOf(step.as);
  if ("problem" in token) return token;
  let answer: LiveAnswer | undefined;
  for (let time = 0; time < step.times; time += 1) {
    answer = await sendRequest(request, token.data).catch(() => undefined);
    if (answer === undefined) return { fault: words.noAnswer };
  }
  if (answer === undefined) return { fault: words.noAnswer };
  const seen = chapterAnswer(answer);
  if (step.name !== undefined) values.set(step.name, valuesOf(filled, seen));
  return { data: { request, answer, faults: differences(step.expect, seen, all) } };
}

function chapterAnswer({ status, headers, body }: LiveAnswer): ChapterAnswer {
  return { status, header: (name) => headers.find(([one]) => one === name)?.[1], body: parseJson(body) };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function sentenceOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
