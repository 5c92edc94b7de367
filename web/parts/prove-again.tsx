import { useState } from "preact/hooks";
import { type Answer, api, ask, type Problem } from "../server.ts";
import { Confirm } from "./confirm.tsx";
import { Field } from "./field.tsx";
import { ProblemNotice } from "./notice.tsx";
import { partWords as words } from "./part-words.ts";

type ProveAgainProps = {
  /** What it is for, in a sentence. */
  readonly reason: string;
  readonly onProved: () => void;
  readonly onClose: () => void;
};

/** Asks for the password again: what cannot be undone needs a recent proof (RFC 9470). */
export function ProveAgain({ reason, onProved, onClose }: ProveAgainProps) {
  const [password, setPassword] = useState("");
  const [problem, setProblem] = useState<Problem>();
  const [isBusy, setIsBusy] = useState(false);
  const prove = async (): Promise<void> => {
    setIsBusy(true);
    const answer = await ask(api.POST("/auth/reauthenticate", { body: { password } }));
    setIsBusy(false);
    if ("problem" in answer) setProblem(answer.problem);
    else onProved();
  };
  return (
    <Confirm
      title={words.proveTitle}
      action={words.goOn}
      isBusy={isBusy}
      onConfirm={() => void prove()}
      onClose={onClose}
    >
      <p>{reason}</p>
      {problem ? <ProblemNotice problem={problem} /> : null}
      <Field
        label={words.password}
        name="password"
        type="password"
        autocomplete="current-password"
        required
        value={password}
        onValue={setPassword}
      />
    </Confirm>
  );
}

/** Whether an answer is a refusal that a fresh proof cures. */
export function needsProof(answer: Answer<unknown>): boolean {
  return "problem" in answer && answer.problem.code === "reauthentication-required";
}
