import { useEffect, useRef, useState } from "preact/hooks";
import { Field } from "../parts/field.tsx";
import { faultOf } from "../parts/mail-code.tsx";
import { mountScreen } from "../parts/mount.tsx";
import { ProblemNotice, useCountdown } from "../parts/notice.tsx";
import { screenFacts } from "../parts/screen-facts.ts";
import { ownPath } from "../return-to.ts";
import { api, ask, type Problem, problemOf, session, unreachable } from "../server.ts";
import { ConfirmAddress, type Unconfirmed } from "./confirm-address.tsx";
import { signInWords as words } from "./sign-in-words.ts";
import { onSubmit } from "../parts/on-submit.ts";

const isSignUp = location.pathname.startsWith("/sign-up");
const query = new URLSearchParams(location.search);
const returnTo = ownPath(query.get("returnTo")) ?? "/account";

let isLeaving = false;

/** Goes on, once: the answer and the news of it both lead here, and a second way out would break off the first. */
function goOn(): void {
  if (isLeaving) return;
  isLeaving = true;
  location.replace(returnTo);
}

/** Signs in, or up; where the address must be confirmed first, that is the next step. */
function SignIn() {
  const [unconfirmed, setUnconfirmed] = useState<Unconfirmed>();
  useGoOnWhenSignedIn();
  if (unconfirmed === undefined) return <Entrance onUnconfirmed={setUnconfirmed} />;
  return <ConfirmAddress unconfirmed={unconfirmed} />;
}

/** One column, one button. Who is signed in already goes on. */
function Entrance({ onUnconfirmed }: { readonly onUnconfirmed: (unconfirmed: Unconfirmed) => void }) {
  const [email, setEmail] = useState("");
  const [password, setPassword] = useState("");
  const [next, setNext] = useState<string>();
  const [problem, setProblem] = useState<Problem>();
  const [isBusy, setIsBusy] = useState(false);
  const form = useRef<HTMLFormElement>(null);
  const secondsLeft = useCountdown(problem?.retry_after_seconds);

  const submit = async (): Promise<void> => {
    setIsBusy(true);
    const response = await enter(email, password, next).catch(() => undefined);
    if (response?.status === 202) return onUnconfirmed({ email, password, flow: await flowOf(response) });
    if (response?.ok) return goOn();
    const refusal = response ? await problemOf(response) : unreachable;
    setProblem(refusal);
    if (refusal.code === "password-change-required") setNext("");
    setIsBusy(false);
    requestAnimationFrame(() => focusOf(form.current)?.focus());
  };

  return (
    <form ref={form} class="narrow" novalidate onSubmit={onSubmit(submit)}>
      {problem && !problem.errors ? <ProblemNotice problem={problem} /> : null}
      {problem?.code === "email-not-verified" ? (
        <SendAgain email={email} onSent={(flow) => onUnconfirmed({ email, password, flow })} />
      ) : null}
      <Field
        label={words.email}
        name="email"
        type="email"
        autocomplete="username"
        required
        maxLength={320}
        value={email}
        onValue={setEmail}
        error={faultOf(problem, "#/email")}
      />
      <Field
        label={words.password}
        name="password"
        type="password"
        autocomplete={isSignUp ? "new-password" : "current-password"}
        required
        value={password}
        onValue={setPassword}
        hint={isSignUp ? words.passwordRule(screenFacts.passwordLengthMin) : undefined}
        error={faultOf(problem, "#/password")}
      />
      {next === undefined ? null : (
        <NextPassword value={next} onValue={setNext} error={faultOf(problem, "#/new_password")} />
      )}
      <p class="actions">
        <button type="submit" class="primary" disabled={isBusy || secondsLeft > 0}>
          {isSignUp ? words.signUp : words.signIn}
        </button>
      </p>
      <OtherWays />
    </form>
  );
}

type NextPasswordProps = {
  readonly value: string;
  readonly onValue: (value: string) => void;
  readonly error: string | undefined;
};

function NextPassword(props: NextPasswordProps) {
  const hint = words.newPasswordRule(screenFacts.passwordLengthMin);
  return (
    <Field
      label={words.newPassword}
      name="new_password"
      type="password"
      autocomplete="new-password"
      required
      hint={hint}
      {...props}
    />
  );
}

function OtherWays() {
  return (
    <p class="quiet">
      {isSignUp ? words.hasAccount : words.noAccount}{" "}
      <a href={(isSignUp ? "/sign-in" : "/sign-up") + location.search}>{isSignUp ? words.signIn : words.signUp}</a>
      {screenFacts.hasMail && !isSignUp ? (
        <>
          {" "}
          · <a href="/mail/forgot">{words.forgot}</a>
        </>
      ) : null}
      {screenFacts.signsInByMail && !isSignUp ? (
        <>
          {" "}
          · <a href={`/sign-in/by-mail${location.search}`}>{words.byMail}</a>
        </>
      ) : null}
    </p>
  );
}

function SendAgain({ email, onSent }: { readonly email: string; readonly onSent: (flow: string) => void }) {
  const [problem, setProblem] = useState<Problem>();
  const send = async (): Promise<void> => {
    const answer = await ask(api.POST("/auth/verification", { body: { email } }));
    if ("problem" in answer) setProblem(answer.problem);
    else onSent(answer.data.flow);
  };
  return (
    <>
      {problem ? <ProblemNotice problem={problem} /> : null}
      <p>
        <button type="button" onClick={() => void send()}>
          {words.sendAgain}
        </button>
      </p>
    </>
  );
}

async function enter(email: string, password: string, next: string | undefined): Promise<Response> {
  if (isSignUp) return session.signUp(email, password);
  return session.signIn(email, password, next === undefined ? {} : { new_password: next });
}

async function flowOf(response: Response): Promise<string> {
  const { flow } = (await response.json()) as { readonly flow: string };
  return flow;
}

/** The first field that is wrong, else the password to choose or to correct: the address is mostly right. */
function focusOf(form: HTMLFormElement | null): HTMLElement | null {
  const found = (selector: string): HTMLElement | null => form?.querySelector<HTMLElement>(selector) ?? null;
  return found("[aria-invalid]") ?? found("[name=new_password]") ?? found("[name=password]");
}

function useGoOnWhenSignedIn(): void {
  useEffect(() => {
    void session.token().then(
      (token) => (token === undefined ? undefined : goOn()),
      () => undefined,
    );
    return session.onChange((isSignedIn) => (isSignedIn ? goOn() : undefined));
  }, []);
}

mountScreen(<SignIn />);
