import { useState } from "preact/hooks";
import { CodeField, faultOf } from "../parts/mail-code.tsx";
import { Notice, ProblemNotice } from "../parts/notice.tsx";
import { onSubmit } from "../parts/on-submit.ts";
import { api, ask, type Problem } from "../server.ts";
import { type Asked, AskForMail, MailIsOnItsWay } from "./ask-for-mail.tsx";
import { doorWords, mailWords as words } from "./mail-words.ts";
import { NewPassword } from "./new-password.tsx";

/** A new password by mail. Whether an address has an account is said to nobody. */
export function Forgot() {
  const [asked, setAsked] = useState<Asked>();
  const [isDone, setIsDone] = useState(false);
  const { doneTitle, doneText, next } = doorWords.reset;
  if (asked === undefined) {
    return (
      <AskForMail
        send={(email) => ask(api.POST("/auth/forgot-password", { body: { email } }))}
        onAsked={setAsked}
        instead={{ text: words.remembered, ...next }}
      />
    );
  }
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
      <MailIsOnItsWay email={email} />
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
