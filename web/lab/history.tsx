import type { Card } from "./cards.ts";
import type { As, LiveRequest } from "../parts/live-request.ts";
import type { LiveAnswer } from "../parts/send-request.ts";
import { labWords as words } from "./lab-words.ts";

/** A request that was sent, with its answer. */
export type Sent = {
  readonly id: string;
  readonly draft: {
    readonly request: LiveRequest;
    readonly as: As;
    readonly card: Card | undefined;
    readonly token: string | undefined;
  };
  readonly answer: LiveAnswer;
};

type HistoryProps = {
  readonly sent: readonly Sent[];
  readonly onReplay: (sent: Sent) => void;
  readonly onEdit: (sent: Sent) => void;
};

/** What was sent, the newest first; each can be sent again, or taken back into the form. */
export function History({ sent, onReplay, onEdit }: HistoryProps) {
  return (
    <section aria-labelledby="history-title">
      <h2 id="history-title">{words.history}</h2>
      {sent.length === 0 ? (
        <div class="empty">
          <p>{words.historyEmpty}</p>
        </div>
      ) : null}
      <ol class="exchange-list">
        {sent.map((one) => {
          const { id, draft, answer } = one;
          const { method, path } = draft.request;
          const refused = answer.gates.find(({ outcome }) => outcome === "refused");
          return (
            <li key={id}>
              <span class={answer.status >= 400 ? "badge bad" : "badge good"}>{answer.status}</span>
              <code>
                {method} {path}
              </code>
              <span class="quiet">
                {words.asNames[draft.as]}
                {refused ? ` · ${refused.gate}: ${refused.saw}` : ""}
              </span>
              <button type="button" class="plain" onClick={() => onReplay(one)}>
                {words.replay}
              </button>
              <button type="button" class="plain" onClick={() => onEdit(one)}>
                {words.takeBack}
              </button>
            </li>
          );
        })}
      </ol>
    </section>
  );
}
