import { useState } from "preact/hooks";
import { Field } from "../parts/field.tsx";
import { CodeField, faultOf } from "../parts/mail-code.tsx";
import { Notice, ProblemNotice, useCountdown } from "../parts/notice.tsx";
import { onSubmit } from "../parts/on-submit.ts";
import { api, ask, type Problem } from "../server.ts";
import { doorWords, mailWords as words } from "./mail-words.ts";
import { NewPassword } from "./new-password.tsx";

type Asked = { readonly email: string; readonly flow: string };

/** A new password by mail. Whether an address has an account is said to nobody. */
export function Forgot() {
  const [asked, setAsked] = useState<Asked>();
  const [isDone, setIsDone] = useState(false);
  const { doneTitle, doneText, next } = doorWords.reset;
  if (asked === undefined) return <AskForMail onAsked={setAsked} />;
  if (!isDone) {
    return <WithCode asked={asked} onDone={() => setIsDone(true)} onOtherAddress={() => setAsked(undefined)} />;
  }
  return (
    <Notice kind="good" title={doneTitle}>
      <p>{doneText}</p>
      <p>
        <a href={next.path}>{next.label}</a>
      </p>
    </Notice>
  );
}

function AskForMail({ onAsked }: { readonly onAsked: (asked: Asked) => void }) {
  const [email, setEmail] = useState("");
  const [problem, setProblem] = useState<Problem>();
  const [isBusy, setIsBusy] = useState(false);
  const secondsLeft = useCountdown(problem?.retry_after_seconds);
  const submit = async (): Promise<void> => {
    setIsBusy(true);
    const answer = await ask(api.POST("/auth/forgot-password", { body: { email } }));
    setIsBusy(false);
    if ("problem" in answer) setProblem(answer.problem);
    else onAsked({ email, flow: answer.data.flow });
  };
  const fault = faultOf(problem, "#/email");
  return (
    <form class="narrow" novalidate onSubmit={onSubmit(submit)}>
      {problem && !fault ? <ProblemNotice problem={problem} /> : null}
      <Field
        label={words.email}
        name="email"
        type="email"
        autocomplete="username"
        required
        maxLength={320}
        value={email}
        onValue={setEmail}
        error={fault}
      />
      <p class="actions">
        <button type="submit" class="primary" disabled={isBusy || secondsLeft > 0}>
          {words.ask}
        </button>
      </p>
      <p class="quiet">
        {words.remembered} <a href={doorWords.reset.next.path}>{doorWords.reset.next.label}</a>
      </p>
    </form>
  );
}

type WithCodeProps = { readonly asked: Asked; readonly onDone: () => void; readonly onOtherAddress: () => void };

function WithCode({ asked: { email, flow }, onDone, onOtherAddress }: WithCodeProps) {
  const [code, setCode] = useState("");
  const [password, setPassword] = useState("");
  const [problem, setProblem] = useState<Problem>();
  const [isBusy, setIsBusy] = useState(false);
  const submit = async (): Promise<void> => {
    setIsBusy(true);
    const answer = await ask(api.POST("/auth/reset-password", { body: { flow, code, new_password: password } }));
    setIsBusy(false);
    if ("problem" in answer) setProblem(answer.problem);
    else onDone();
  };
  return (
    <>
      <Notice kind="good" title={words.askedTitle}>
        <p>{words.askedText(email)}</p>
      </Notice>
      <p>{words.elsewhere}</p>
      <form class="narrow" novalidate onSubmit={onSubmit(submit)}>
        {problem && !problem.errors ? <ProblemNotice problem={problem} /> : null}
        <input type="text" name="username" autocomplete="username" value={email} readOnly hidden />
        <CodeField value={code} onValue={setCode} error={faultOf(problem, "#/code")} />
        <NewPassword value={password} onValue={setPassword} error={faultOf(problem, "#/new_password")} />
        <p class="actions">
          <button type="submit" class="primary" disabled={isBusy}>
            {doorWords.reset.action}
          </button>
          <button type="button" onClick={onOtherAddress}>
            {words.otherAddress}
          </button>
        </p>
      </form>
    </>
  );
}
