import { useState } from "preact/hooks";
import { Field } from "../parts/field.tsx";
import { Moment } from "../parts/moment.tsx";
import { ProblemNotice } from "../parts/notice.tsx";
import { toast } from "../parts/toasts.tsx";
import { api, ask, type Problem, type User } from "../server.ts";
import { accountWords as words } from "./account-words.ts";
import { onSubmit } from "../parts/on-submit.ts";

type ProfileProps = { readonly user: User; readonly onChanged: () => void };

/** Who one is here; the display name can be changed, and changed back. */
export function Profile({ user, onChanged }: ProfileProps) {
  const [name, setName] = useState(user.display_name ?? "");
  const [problem, setProblem] = useState<Problem>();
  const rename = async (to: string | null, undo?: () => void): Promise<void> => {
    const answer = await ask(api.PATCH("/users/me", { body: { display_name: to } }));
    if ("problem" in answer) return setProblem(answer.problem);
    setProblem(undefined);
    setName(to ?? "");
    toast(words.renamed(to), undo);
    onChanged();
  };
  const before = user.display_name;
  const next = name.trim() === "" ? null : name;
  const fault = problem?.errors?.find(({ pointer }) => pointer === "#/display_name")?.detail;
  return (
    <section aria-labelledby="profile">
      <h2 id="profile">{words.profile}</h2>
      <dl class="facts">
        <dt>{words.email}</dt>
        <dd>{user.email}</dd>
        <dt>{words.role}</dt>
        <dd>{user.role}</dd>
        <dt>{words.since}</dt>
        <dd>
          <Moment at={user.created_at} />
        </dd>
      </dl>
      <form class="narrow" novalidate onSubmit={onSubmit(() => rename(next, () => void rename(before)))}>
        {problem && !fault ? <ProblemNotice problem={problem} /> : null}
        <Field
          label={words.displayName}
          name="display_name"
          autocomplete="nickname"
          maxLength={100}
          value={name}
          onValue={setName}
          hint={words.displayNameHint}
          error={fault}
        />
        <button type="submit" disabled={next === before}>
          {words.save}
        </button>
      </form>
    </section>
  );
}
