import { useState } from "preact/hooks";
import { MailCode } from "../parts/mail-code.tsx";
import { ownPath } from "../return-to.ts";
import { api, ask, type Answer, problemOf, session, unreachable } from "../server.ts";
import { type Asked, AskForMail, MailIsOnItsWay } from "./ask-for-mail.tsx";
import { doorWords, mailWords as words } from "./mail-words.ts";

/** Signs in with a code, here; or with the link of the same mail, wherever it is opened. */
export function SignInByMail() {
  const [asked, setAsked] = useState<Asked>();
  if (asked === undefined) {
    return (
      <AskForMail
        send={(email) => ask(api.POST("/auth/magic", { body: { email } }))}
        onAsked={setAsked}
        instead={{ text: words.knowsPassword, ...doorWords.reset.next, path: `/sign-in${location.search}` }}
      />
    );
  }
  return (
    <>
      <MailIsOnItsWay email={asked.email} />
      <MailCode send={(code) => enter({ flow: asked.flow, code })} onDone={goOn} />
      <p class="actions">
        <button type="button" onClick={() => setAsked(undefined)}>
          {words.otherAddress}
        </button>
      </p>
    </>
  );
}

/** Signs in with what came by mail. */
export async function enter(proof: Parameters<typeof session.signInByMail>[0]): Promise<Answer<unknown>> {
  const response = await session.signInByMail(proof).catch(() => undefined);
  if (response?.ok) return { data: undefined };
  return { problem: response ? await problemOf(response) : unreachable };
}

function goOn(): void {
  location.replace(ownPath(new URLSearchParams(location.search).get("returnTo")) ?? "/account");
}
