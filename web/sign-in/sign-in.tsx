import { useEffect, useRef, useState } from "preact/hooks";
import { Field } from "../parts/field.tsx";
import { mountScreen } from "../parts/mount.tsx";
import { ProblemNotice, useCountdown } from "../parts/notice.tsx";
import { screenFacts } from "../parts/screen-facts.ts";
import { ownPath } from "../return-to.ts";
import { type Problem, problemOf, session, unreachable } from "../server.ts";
import { signInWords as words } from "./sign-in-words.ts";
import { onSubmit } from "../parts/on-submit.ts";

const isSignUp = location.pathname.startsWith("/sign-up");
const query = new URLSearchParams(location.search);
const returnTo = ownPath(query.get("returnTo")) ?? "/account";

/** Signs in, or up: one column, one button. Who is signed in already goes on. */
function SignIn() {
  const [email, setEmail] = useState("");
  const [password, setPassword] = useState("");
  const [problem, setProblem] = useState<Problem>();
  const [isBusy, setIsBusy] = useState(false);
  const form = useRef<HTMLFormElement>(null);
  const secondsLeft = useCountdown(problem?.retry_after_seconds);
  useGoOnWhenSignedIn();

  const submit = async (): Promise<void> => {
    setIsBusy(true);
    const enter = isSignUp ? session.signUp : session.signIn;
    const response = await enter(email, password).catch(() => undefined);
    if (response?.ok) return location.replace(returnTo);
    setProblem(response ? await problemOf(response) : unreachable);
    setIsBusy(false);
    // The first field that is wrong, else the password: the address is mostly right.
    requestAnimationFrame(() =>
      (form.current?.querySelector<HTMLElement>("[aria-invalid]") ?? passwordOf(form.current))?.focus(),
    );
  };
  const faultOf = (pointer: string): string | undefined =>
    problem?.errors?.find((fault) => fault.pointer === pointer)?.detail;

  return (
    <form ref={form} class="narrow" novalidate onSubmit={onSubmit(submit)}>
      {problem && !problem.errors ? <ProblemNotice problem={problem} /> : null}
      <Field
        label={words.email}
        name="email"
        type="email"
        autocomplete="username"
        required
        maxLength={320}
        value={email}
        onValue={setEmail}
        error={faultOf("#/email")}
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
        error={faultOf("#/password")}
      />
      <p class="actions">
        <button type="submit" class="primary" disabled={isBusy || secondsLeft > 0}>
          {isSignUp ? words.signUp : words.signIn}
        </button>
      </p>
      <p class="quiet">
        {isSignUp ? words.hasAccount : words.noAccount}{" "}
        <a href={(isSignUp ? "/sign-in" : "/sign-up") + location.search}>{isSignUp ? words.signIn : words.signUp}</a>
      </p>
    </form>
  );
}

function passwordOf(form: HTMLFormElement | null): HTMLElement | null {
  return form?.querySelector<HTMLElement>("[name=password]") ?? null;
}

function useGoOnWhenSignedIn(): void {
  useEffect(() => {
    const goOn = (): void => location.replace(returnTo);
    void session.token().then(
      (token) => (token === undefined ? undefined : goOn()),
      () => undefined,
    );
    return session.onChange((isSignedIn) => (isSignedIn ? goOn() : undefined));
  }, []);
}

mountScreen(<SignIn />);
