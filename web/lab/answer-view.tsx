import { useState } from "preact/hooks";
import { asCurl, asFetch, asPython, type CodeRequest } from "../as-code.ts";
import { CopyButton } from "../parts/copy-button.tsx";
import { Notice } from "../parts/notice.tsx";
import { headerNotes, labWords as words, statusMeanings } from "./lab-words.ts";
import type { LiveAnswer } from "../parts/send-request.ts";

/** What came back: the status in words, the headers with a word on those that matter, the body. */
export function AnswerView({ answer }: { readonly answer: LiveAnswer | undefined }) {
  if (answer === undefined) {
    return (
      <div class="empty">
        <p>{words.answerEmpty}</p>
      </div>
    );
  }
  const { status, problem, headers, body, milliseconds } = answer;
  return (
    <div class="answer">
      <p class="answer-status">
        <span class={status >= 400 ? "badge bad" : "badge good"}>{status}</span> {statusMeanings[status] ?? ""}
      </p>
      <p class="quiet">{words.roundTrip(milliseconds)}</p>
      {problem ? (
        <Notice kind="plain" title={problem.title}>
          <p>{problem.detail}</p>
          <p>
            <a href={`/errors/${encodeURIComponent(problem.code)}`}>{words.openProblem}</a>
          </p>
        </Notice>
      ) : null}
      <h3>{words.headers}</h3>
      <HeaderList headers={headers.filter(([name]) => name in headerNotes)} />
      <details>
        <summary>{words.otherHeaders}</summary>
        <HeaderList headers={headers.filter(([name]) => !(name in headerNotes))} />
      </details>
      <h3>{words.body}</h3>
      {body === "" ? (
        <p class="quiet">{words.noBody}</p>
      ) : (
        <pre tabIndex={0} role="region" aria-label={words.body}>
          <code>{body}</code>
        </pre>
      )}
    </div>
  );
}

/** Headers, with a word on those that matter. */
export function HeaderList({ headers }: Pick<LiveAnswer, "headers">) {
  return (
    <dl class="header-list">
      {headers.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>
            <code>{value}</code>
            {headerNotes[name] ? <span class="quiet"> {headerNotes[name]}</span> : null}
          </dd>
        </div>
      ))}
    </dl>
  );
}

const languages = { curl: asCurl, fetch: asFetch, Python: asPython } as const;

/** The same request for other programs, to be copied. */
export function AsCode({ request }: { readonly request: CodeRequest }) {
  const [language, setLanguage] = useState<keyof typeof languages>("curl");
  const code = languages[language](request);
  return (
    <section aria-labelledby="code-title">
      <h2 id="code-title">{words.asCode}</h2>
      <div class="choices" role="group" aria-labelledby="code-title">
        {(Object.keys(languages) as (keyof typeof languages)[]).map((name) => (
          <button key={name} type="button" aria-pressed={name === language} onClick={() => setLanguage(name)}>
            {name}
          </button>
        ))}
        <CopyButton text={code} what={language} />
      </div>
      <pre tabIndex={0} role="region" aria-label={language} class="as-code">
        <code>{code}</code>
      </pre>
    </section>
  );
}
