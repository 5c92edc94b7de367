import { useState } from "preact/hooks";
import { Field } from "../parts/field.tsx";
import { ProblemNotice } from "../parts/notice.tsx";
import { screenFacts } from "../parts/screen-facts.ts";
import { toast } from "../parts/toasts.tsx";
import { api, ask, type Problem, type User } from "../server.ts";
import { accountWords as words } from "./account-words.ts";
import { onSubmit } from "../parts/on-submit.ts";

/** Another password; the current one proves that it is the owner who asks. */
export function Password({ user }: { readonly user: User }) {
  const [current, setCurrent] = useState("");
  const [next, setNext] = useState("");
  const [problem, setProblem] = useState<Problem>();
  const [isBusy, setIsBusy] = useState(false);
  const change = async (): Promise<void> => {
    setIsBusy(true);
    const body = { current_password: current, new_password: next };
    const answer = await ask(api.PUT("/users/me/password", { body }));
    setIsBusy(false);
    if ("problem" in answer) return setProblem(answer.problem);
    setProblem(undefined);
    setCurrent("");
    setNext("");
    toast(words.passwordChanged);
  };
  const faultOf = (pointer: string): string | undefined =>
    problem?.errors?.find((fault) => fault.pointer === pointer)?.detail;
  return (
    <section aria-labelledby="password">
      <h2 id="password">{words.password}</h2>
      <form class="narrow" novalidate onSubmit={onSubmit(change)}>
        {problem && !problem.errors ? <ProblemNotice problem={problem} /> : null}
        <input type="text" name="username" autocomplete="username" value={user.email} readOnly hidden />
        <Field
          label={words.currentPassword}
          name="current_password"
          type="password"
          autocomplete="current-password"
          required
          value={current}
          onValue={setCurrent}
          error={faultOf("#/current_password")}
        />
        <Field
          label={words.newPassword}
          name="new_password"
          type="password"
          autocomplete="new-password"
          required
          value={next}
          onValue={setNext}
          hint={words.passwordRule(screenFacts.passwordLengthMin)}
          error={faultOf("#/new_password")}
        />
        <button type="submit" disabled={isBusy}>
          {words.changePassword}
        </button>
      </form>
    </section>
  );
}
