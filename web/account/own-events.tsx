import { useState } from "preact/hooks";
import { useAsked } from "../parts/ask-hooks.ts";
import { Skeleton } from "../parts/loading.tsx";
import { Moment } from "../parts/moment.tsx";
import { ProblemNotice } from "../parts/notice.tsx";
import { api, ask } from "../server.ts";
import { accountWords as words, eventInWords } from "./account-words.ts";

const shownAtFirst = 8;

/** What happened to the account, so that its owner sees what was somebody else's doing. */
export function OwnEvents() {
  const { answer, again } = useAsked(() => ask(api.GET("/users/me/events")), []);
  const [isWhole, setIsWhole] = useState(false);
  const items = answer && "data" in answer ? answer.data.items : [];
  const shown = isWhole ? items : items.slice(0, shownAtFirst);
  return (
    <section aria-labelledby="recent">
      <h2 id="recent">{words.recent}</h2>
      {answer === undefined ? <Skeleton /> : null}
      {answer && "problem" in answer ? <ProblemNotice problem={answer.problem} onRetry={again} /> : null}
      {answer && "data" in answer && items.length === 0 ? <p class="quiet">{words.recentEmpty}</p> : null}
      <ul class="rows">
        {shown.map(({ at, type, by, address, details: { from, to } }, index) => (
          <li key={`${at} ${index}`}>
            <strong>{eventInWords(type, { by, from, to })}</strong>
            <p>
              <Moment at={at} />
              {address === null ? null : ` · ${address}`}
            </p>
          </li>
        ))}
      </ul>
      {shown.length < items.length ? (
        <p class="actions">
          <button type="button" onClick={() => setIsWhole(true)}>
            {words.showAll}
          </button>
        </p>
      ) : null}
    </section>
  );
}
