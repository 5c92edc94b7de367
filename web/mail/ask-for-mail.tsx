import { useState } from "preact/hooks";
import { Field } from "../parts/field.tsx";
import { faultOf } from "../parts/mail-code.tsx";
import { Notice, ProblemNotice, useCountdown } from "../parts/notice.tsx";
import { onSubmit } from "../parts/on-submit.ts";
import type { Answer, Problem } from "../server.ts";
import { mailWords as words } from "./mail-words.ts";

/** Who asked for a mail, and the request that a code of it belongs to. */
export type Asked = { readonly email: string; readonly flow: string };

type AskForMailProps = {
  readonly send: (email: string) => Promise<Answer<{ readonly flow: string }>>;
  readonly onAsked: (asked: Asked) => void;
  /** The other way, for who does not need the mail after all. */
  readonly instead: { readonly text: string; readonly path: string; readonly label: string };
};

/** The first step of what goes by mail: to which address. */
export function AskForMail({ send, onAsked, instead }: AskForMailProps) {
  const [email, setEmail] = useState("");
  const [problem, setProblem] = useState<Problem>();
  const [isBusy, setIsBusy] = useState(false);
  const secondsLeft = useCountdown(problem?.retry_after_seconds);
  const submit = async (): Promise<void> => {
    setIsBusy(true);
    const answer = await send(email);
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
        {instead.text} <a href={instead.path}>{instead.label}</a>
      </p>
    </form>
  );
}

/** The same words for everybody: whether an address has an account is said to nobody. */
export function MailIsOnItsWay({ email }: { readonly email: string }) {
  return (
    <>
      <Notice kind="good" title={words.askedTitle}>
        <p>{words.askedText(email)}</p>
      </Notice>
      <p>{words.elsewhere}</p>
    </>
  );
}
