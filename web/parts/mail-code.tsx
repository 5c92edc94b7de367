import { useState } from "preact/hooks";
import type { Answer, Problem } from "../server.ts";
import { Field } from "./field.tsx";
import { ProblemNotice } from "./notice.tsx";
import { onSubmit } from "./on-submit.ts";
import { partWords as words } from "./part-words.ts";

type MailCodeProps = {
  readonly send: (code: string) => Promise<Answer<unknown>>;
  readonly onDone: () => unknown;
};

/** The code of a mail, for whoever reads it on another device than this one. */
export function MailCode({ send, onDone }: MailCodeProps) {
  const [code, setCode] = useState("");
  const [problem, setProblem] = useState<Problem>();
  const [isBusy, setIsBusy] = useState(false);
  const submit = async (): Promise<void> => {
    setIsBusy(true);
    const answer = await send(code);
    setIsBusy(false);
    if ("problem" in answer) return setProblem(answer.problem);
    setProblem(undefined);
    onDone();
  };
  const fault = faultOf(problem, "#/code");
  return (
    <form class="narrow" novalidate onSubmit={onSubmit(submit)}>
      {problem && !fault ? <ProblemNotice problem={problem} /> : null}
      <CodeField value={code} onValue={setCode} error={fault} />
      <button type="submit" disabled={isBusy}>
        {words.codeAction}
      </button>
    </form>
  );
}

type CodeFieldProps = {
  readonly value: string;
  readonly onValue: (value: string) => void;
  readonly error: string | undefined;
};

export function CodeField({ value, onValue, error }: CodeFieldProps) {
  return (
    <Field
      label={words.code}
      name="code"
      autocomplete="one-time-code"
      required
      maxLength={32}
      value={value}
      onValue={onValue}
      hint={words.codeHint}
      error={error}
    />
  );
}

/** What is wrong with a member of what was sent. */
export function faultOf(problem: Problem | undefined, pointer: string): string | undefined {
  const found = problem?.errors?.find((fault) => fault.pointer === pointer);
  return found && (words.faults[found.code] ?? found.detail);
}
