import { useState } from "preact/hooks";
import { faultOf } from "../parts/mail-code.tsx";
import { Notice, ProblemNotice, useCountdown } from "../parts/notice.tsx";
import { onSubmit } from "../parts/on-submit.ts";
import { type Answer, api, ask, type Problem } from "../server.ts";
import { type Door, doorWords, mailWords as words } from "./mail-words.ts";
import { NewPassword } from "./new-password.tsx";
import { enter } from "./sign-in-by-mail.tsx";

/** What the button of each page sends. Opening the page sends nothing: programs that look at links use none up. */
const sends: Readonly<Record<Door, (token: string, password: string) => Promise<Answer<unknown>>>> = {
  verify: async (token) => ask(api.POST("/auth/verify-email", { body: { token } })),
  reset: async (token, password) => ask(api.POST("/auth/reset-password", { body: { token, new_password: password } })),
  "change-email": async (token) => ask(api.POST("/auth/change-email", { body: { token } })),
  "sign-in": async (token) => enter({ token }),
  "undo-email-change": async (token) => ask(api.POST("/auth/undo-email-change", { body: { token } })),
  "not-me": async (token) => ask(api.POST("/auth/not-me", { body: { token } })),
};

export function doorOfPath(path: string): Door | undefined {
  const name = path.replace(/^\/mail\//, "");
  return Object.hasOwn(doorWords, name) ? (name as Door) : undefined;
}

/** The secret of the link, which no server sees in an address; nor does whoever looks at this browser later. */
const token = takeToken();
// The same page with another link: the browser loads nothing by itself.
addEventListener("hashchange", () => (hasToken() ? location.reload() : undefined));

function hasToken(): boolean {
  return location.hash.startsWith("#tgm_");
}

function takeToken(): string | undefined {
  if (!hasToken()) return undefined;
  const taken = location.hash.slice(1);
  history.replaceState(null, "", location.pathname + location.search);
  return taken;
}

/** Says what will happen, and does it when the button is pressed. */
export function MailLink({ door }: { readonly door: Door }) {
  const [isDone, setIsDone] = useState(false);
  const { doneTitle, doneText, next } = doorWords[door];
  if (token === undefined) {
    return (
      <Notice kind="plain" title={words.noToken}>
        <p>{words.noTokenText}</p>
      </Notice>
    );
  }
  if (!isDone) return <Ready door={door} token={token} onDone={() => setIsDone(true)} />;
  return (
    <Notice kind="good" title={doneTitle}>
      <p>{doneText}</p>
      <p>
        <a href={next.path}>{next.label}</a>
      </p>
    </Notice>
  );
}

type ReadyProps = { readonly door: Door; readonly token: string; readonly onDone: () => void };

function Ready({ door, token: proof, onDone }: ReadyProps) {
  const [password, setPassword] = useState("");
  const [problem, setProblem] = useState<Problem>();
  const [isBusy, setIsBusy] = useState(false);
  const secondsLeft = useCountdown(problem?.retry_after_seconds);
  const submit = async (): Promise<void> => {
    setIsBusy(true);
    const answer = await sends[door](proof, password);
    setIsBusy(false);
    if ("problem" in answer) setProblem(answer.problem);
    else onDone();
  };
  if (problem?.code === "link-refused") return <Refused door={door} reason={problem.reason} />;
  const fault = faultOf(problem, "#/new_password");
  return (
    <form class="narrow" novalidate onSubmit={onSubmit(submit)}>
      <p>{doorWords[door].will}</p>
      {problem && !fault ? <ProblemNotice problem={problem} /> : null}
      {door === "reset" ? <NewPassword value={password} onValue={setPassword} error={fault} /> : null}
      <p class="actions">
        <button type="submit" class="primary" disabled={isBusy || secondsLeft > 0}>
          {doorWords[door].action}
        </button>
      </p>
    </form>
  );
}

function Refused({ door, reason = "" }: { readonly door: Door; readonly reason: string | undefined }) {
  const { text, path, label } = doorWords[door].instead;
  return (
    <Notice kind="bad" title={words.refused[reason] ?? words.refusedOtherwise}>
      <p>{text}</p>
      <p>
        <a href={path}>{label}</a>
      </p>
    </Notice>
  );
}
