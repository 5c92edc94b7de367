import { useState } from "preact/hooks";
import { useAsked } from "../parts/ask-hooks.ts";
import { Confirm } from "../parts/confirm.tsx";
import { deviceName } from "../parts/device-name.ts";
import { Skeleton } from "../parts/loading.tsx";
import { Moment } from "../parts/moment.tsx";
import { ProblemNotice } from "../parts/notice.tsx";
import { toast } from "../parts/toasts.tsx";
import { type Answer, api, ask, type Problem } from "../server.ts";
import { accountWords as words } from "./account-words.ts";

/** Where one is signed in: the device in words, the place only as an address. */
export function OwnSessions() {
  const { answer, again } = useAsked(() => ask(api.GET("/users/me/sessions")), []);
  const [isAsking, setIsAsking] = useState(false);
  const [problem, setProblem] = useState<Problem>();
  const after = (ended: Answer<unknown>, said: string): void => {
    setIsAsking(false);
    if ("problem" in ended) setProblem(ended.problem);
    else {
      setProblem(undefined);
      toast(said);
    }
    again();
  };
  const end = async (id: string): Promise<void> =>
    after(await ask(api.DELETE("/users/me/sessions/{id}", { params: { path: { id } } })), words.sessionEnded);
  const endOthers = async (): Promise<void> => after(await ask(api.DELETE("/users/me/sessions")), words.othersEnded);
  const items = answer && "data" in answer ? answer.data.items : [];
  return (
    <section aria-labelledby="sessions">
      <h2 id="sessions">{words.sessions}</h2>
      {answer === undefined ? <Skeleton /> : null}
      {answer && "problem" in answer ? <ProblemNotice problem={answer.problem} onRetry={again} /> : null}
      {problem ? <ProblemNotice problem={problem} /> : null}
      <ul class="rows">
        {items.map(({ id, user_agent: userAgent, address, created_at, last_used_at, current }) => (
          <li key={id}>
            <strong title={userAgent ?? undefined}>{deviceName(userAgent) ?? words.unknownDevice}</strong>
            {current ? (
              <span class="badge good">{words.thisOne}</span>
            ) : (
              <button type="button" onClick={() => void end(id)}>
                {words.endSession}
              </button>
            )}
            <p>
              {address} · {words.signedIn} <Moment at={created_at} /> · {words.lastUsed} <Moment at={last_used_at} />
            </p>
          </li>
        ))}
      </ul>
      {items.length === 1 ? <p class="quiet">{words.onlyHere}</p> : null}
      <p class="actions">
        {items.length > 1 ? (
          <button type="button" onClick={() => setIsAsking(true)}>
            {words.endOthers}
          </button>
        ) : null}
      </p>
      {isAsking ? (
        <Confirm
          title={`${words.endOthers}?`}
          action={words.endOthers}
          onConfirm={() => void endOthers()}
          onClose={() => setIsAsking(false)}
        >
          <p>{words.endOthersText}</p>
        </Confirm>
      ) : null}
    </section>
  );
}
