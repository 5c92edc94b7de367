import { useEffect, useState } from "preact/hooks";
import { useSignedInUser } from "../parts/ask-hooks.ts";
import { Skeleton } from "../parts/loading.tsx";
import { mountScreen } from "../parts/mount.tsx";
import { ProblemNotice } from "../parts/notice.tsx";
import { type Problem, problemOf, session, unreachable, type User } from "../server.ts";
import { accountWords as words } from "./account-words.ts";
import { DeleteAccount } from "./delete-account.tsx";
import { EmailAddress } from "./email-address.tsx";
import { OwnEvents } from "./own-events.tsx";
import { OwnSessions } from "./own-sessions.tsx";
import { screenFacts } from "../parts/screen-facts.ts";
import { Password } from "./password.tsx";
import { Profile } from "./profile.tsx";

function Account() {
  const { answer, again } = useSignedInUser();
  if (answer === undefined) return <Skeleton lines={8} />;
  if ("problem" in answer) return <ProblemNotice problem={answer.problem} onRetry={again} />;
  return <OwnAccount user={answer.data} onChanged={again} />;
}

function OwnAccount({ user, onChanged }: { readonly user: User; readonly onChanged: () => void }) {
  // The browser looked for #password before there was one (/.well-known/change-password leads there).
  useEffect(() => document.getElementById(location.hash.slice(1))?.scrollIntoView(), []);
  return (
    <>
      <SignOut />
      <Profile user={user} onChanged={onChanged} />
      {screenFacts.hasMail ? <EmailAddress user={user} onChanged={onChanged} /> : null}
      <Password user={user} />
      <OwnSessions />
      <OwnEvents />
      <DeleteAccount user={user} />
    </>
  );
}

function SignOut() {
  const [problem, setProblem] = useState<Problem>();
  const signOut = async (): Promise<void> => {
    try {
      await session.signOut();
    } catch (error) {
      const { cause } = error as Error;
      setProblem(cause instanceof Response ? await problemOf(cause) : unreachable);
    }
  };
  return (
    <>
      {problem ? <ProblemNotice problem={problem} /> : null}
      <p class="actions">
        <button type="button" onClick={() => void signOut()}>
          {words.signOut}
        </button>
      </p>
    </>
  );
}

mountScreen(<Account />);
