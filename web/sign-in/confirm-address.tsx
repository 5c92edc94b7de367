import { useState } from "preact/hooks";
import { MailCode } from "../parts/mail-code.tsx";
import { Notice, ProblemNotice } from "../parts/notice.tsx";
import { api, ask, type Problem, problemOf, session, unreachable } from "../server.ts";
import { signInWords as words } from "./sign-in-words.ts";

/** Who may come in as soon as the address is confirmed, and the request that a code of the mail belongs to. */
export type Unconfirmed = { readonly email: string; readonly password: string; readonly flow: string };

/** Says the same to everybody, whether or not the address has an account; the mail says more. */
export function ConfirmAddress({ unconfirmed: { email, password, flow } }: { readonly unconfirmed: Unconfirmed }) {
  const [problem, setProblem] = useState<Problem>();
  const signIn = async (): Promise<void> => {
    const response = await session.signIn(email, password).catch(() => undefined);
    // Signed in, the page goes on by itself.
    if (!response?.ok) setProblem(response ? await problemOf(response) : unreachable);
  };
  return (
    <>
      <Notice kind="good" title={words.mailTitle}>
        <p>{words.mailText(email)}</p>
      </Notice>
      {problem ? <ProblemNotice problem={problem} /> : null}
      <p>{words.mailElsewhere}</p>
      <MailCode
        send={(code) => ask(api.POST("/auth/verify-email", { body: { flow, code } }))}
        onDone={() => void signIn()}
      />
      <p class="quiet">
        <a href={`/sign-in${location.search}`}>{words.signIn}</a>
      </p>
    </>
  );
}
