import { useState } from "preact/hooks";
import { Field } from "../parts/field.tsx";
import { faultOf, MailCode } from "../parts/mail-code.tsx";
import { Notice, ProblemNotice } from "../parts/notice.tsx";
import { onSubmit } from "../parts/on-submit.ts";
import { needsProof, ProveAgain } from "../parts/prove-again.tsx";
import { screenFacts } from "../parts/screen-facts.ts";
import { toast } from "../parts/toasts.tsx";
import { api, ask, type Problem, type User } from "../server.ts";
import { accountWords as words } from "./account-words.ts";

type EmailAddressProps = { readonly user: User; readonly onChanged: () => void };
type Sent = { readonly email: string; readonly flow: string };

/** The address of the account: whether it is confirmed, and another one. */
export function EmailAddress({ user, onChanged }: EmailAddressProps) {
  return (
    <section aria-labelledby="email">
      <h2 id="email">{words.email}</h2>
      <p>
        {user.email}{" "}
        <span class={user.email_verified ? "badge good" : "badge"}>
          {user.email_verified ? words.verified : words.notVerified}
        </span>
      </p>
      {screenFacts.verifiesAddresses && !user.email_verified ? (
        <Verification email={user.email} onVerified={onChanged} />
      ) : null}
      <OtherAddress onChanged={onChanged} />
    </section>
  );
}

function Verification({ email, onVerified }: { readonly email: string; readonly onVerified: () => void }) {
  const [flow, setFlow] = useState<string>();
  const [problem, setProblem] = useState<Problem>();
  const send = async (): Promise<void> => {
    const answer = await ask(api.POST("/auth/verification", { body: { email } }));
    if ("problem" in answer) return setProblem(answer.problem);
    setProblem(undefined);
    setFlow(answer.data.flow);
  };
  const done = (): void => {
    toast(words.verifiedNow);
    onVerified();
  };
  return (
    <>
      {problem ? <ProblemNotice problem={problem} /> : null}
      {flow === undefined ? null : (
        <>
          <Notice kind="good" title={words.sent(email)} />
          <MailCode send={(code) => ask(api.POST("/auth/verify-email", { body: { flow, code } }))} onDone={done} />
        </>
      )}
      <p class="actions">
        <button type="button" onClick={() => void send()}>
          {words.sendAgain}
        </button>
      </p>
    </>
  );
}

function OtherAddress({ onChanged }: { readonly onChanged: () => void }) {
  const [email, setEmail] = useState("");
  const [sent, setSent] = useState<Sent>();
  const [problem, setProblem] = useState<Problem>();
  const [isProving, setIsProving] = useState(false);
  const change = async (): Promise<void> => {
    const answer = await ask(api.POST("/users/me/email", { body: { email } }));
    setIsProving(needsProof(answer));
    if (needsProof(answer)) return;
    if ("problem" in answer) return setProblem(answer.problem);
    setProblem(undefined);
    setSent({ email, flow: answer.data.flow });
  };
  const done = (): void => {
    setSent(undefined);
    setEmail("");
    toast(words.emailChanged);
    onChanged();
  };
  const fault = faultOf(problem, "#/email");
  return (
    <>
      <form class="narrow" novalidate onSubmit={onSubmit(change)}>
        {problem && !fault ? <ProblemNotice problem={problem} /> : null}
        <Field
          label={words.otherEmail}
          name="email"
          type="email"
          autocomplete="email"
          required
          maxLength={320}
          value={email}
          onValue={setEmail}
          hint={words.otherEmailHint}
          error={fault}
        />
        <button type="submit">{words.changeEmail}</button>
      </form>
      {sent === undefined ? null : <ChangeCode sent={sent} onDone={done} />}
      {isProving ? (
        <ProveAgain
          reason={words.changeEmailProof}
          onProved={() => void change()}
          onClose={() => setIsProving(false)}
        />
      ) : null}
    </>
  );
}

function ChangeCode({ sent: { email, flow }, onDone }: { readonly sent: Sent; readonly onDone: () => void }) {
  return (
    <>
      <Notice kind="good" title={words.sent(email)} />
      <MailCode send={(code) => ask(api.POST("/auth/change-email", { body: { flow, code } }))} onDone={onDone} />
    </>
  );
}
