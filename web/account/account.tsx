import { useState } from "preact/hooks";
import { goToSignIn, useAsked, useSignedInUser } from "../parts/ask-hooks.ts";
import { Confirm } from "../parts/confirm.tsx";
import { Skeleton } from "../parts/loading.tsx";
import { Moment } from "../parts/moment.tsx";
import { mountScreen } from "../parts/mount.tsx";
import { ProblemNotice } from "../parts/notice.tsx";
import { toast } from "../parts/toasts.tsx";
import { api, ask, type Problem, session, type User } from "../server.ts";
import { accountWords as words } from "./account-words.ts";

function Account() {
  const { answer, again } = useSignedInUser();
  if (answer === undefined) return <Skeleton />;
  if ("problem" in answer) return <ProblemNotice problem={answer.problem} onRetry={again} />;
  return (
    <>
      <p>{answer.data.email}</p>
      <p class="actions">
        <button type="button" onClick={() => void session.signOut()}>
          {words.signOut}
        </button>
      </p>
      <Sessions />
      <DeleteAccount user={answer.data} />
    </>
  );
}

function Sessions() {
  const { answer, again } = useAsked(() => ask(api.GET("/users/me/sessions")), []);
  const end = async (id: string): Promise<void> => {
    await ask(api.DELETE("/users/me/sessions/{id}", { params: { path: { id } } }));
    toast(words.sessionEnded);
    again();
  };
  return (
    <section aria-labelledby="sessions">
      <h2 id="sessions">{words.sessions}</h2>
      {answer === undefined ? <Skeleton /> : null}
      {answer && "problem" in answer ? <ProblemNotice problem={answer.problem} onRetry={again} /> : null}
      {answer && "data" in answer ? (
        <ul class="rows">
          {answer.data.items.map(({ id, user_agent, address, last_used_at, current }) => (
            <li key={id}>
              <span>{user_agent ?? words.unknownDevice}</span>
              {current ? (
                <span class="badge good">{words.thisOne}</span>
              ) : (
                <button type="button" onClick={() => void end(id)}>
                  {words.endSession}
                </button>
              )}
              <p>
                {words.from} {address}, {words.lastUsed} <Moment at={last_used_at} />
              </p>
            </li>
          ))}
        </ul>
      ) : null}
    </section>
  );
}

function DeleteAccount({ user }: { readonly user: User }) {
  const [isAsking, setIsAsking] = useState(false);
  const [problem, setProblem] = useState<Problem>();
  const remove = async (): Promise<void> => {
    const answer = await ask(api.DELETE("/users/{id}", { params: { path: { id: user.id } } }));
    if ("problem" in answer) return setProblem(answer.problem);
    goToSignIn();
  };
  return (
    <section>
      <button type="button" class="danger" onClick={() => setIsAsking(true)}>
        {words.deleteAction}
      </button>
      {isAsking ? (
        <Confirm
          title={words.deleteTitle}
          action={words.deleteAction}
          isDangerous
          onConfirm={() => void remove()}
          onClose={() => setIsAsking(false)}
        >
          <p>{words.deleteText}</p>
          {problem ? <ProblemNotice problem={problem} /> : null}
        </Confirm>
      ) : null}
    </section>
  );
}

mountScreen(<Account />);
