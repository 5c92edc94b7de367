import { useCallback, useEffect, useState } from "preact/hooks";
import { signInPath } from "../return-to.ts";
import { api, type Answer, ask, session, type User } from "../server.ts";

export type Asked<Data> = {
  /** undefined while the first answer is on its way. */
  readonly answer: Answer<Data> | undefined;
  readonly isBusy: boolean;
  readonly again: () => void;
};

/** Asks when the page appears and whenever one of `about` changes; an answer that comes too late is dropped. */
export function useAsked<Data>(call: () => Promise<Answer<Data>>, about: readonly unknown[]): Asked<Data> {
  const [answer, setAnswer] = useState<Answer<Data>>();
  const [isBusy, setIsBusy] = useState(true);
  const [round, setRound] = useState(0);
  useEffect(() => {
    let isWanted = true;
    const run = async (): Promise<void> => {
      const next = await call();
      if (!isWanted) return;
      setAnswer(next);
      setIsBusy(false);
    };
    setIsBusy(true);
    void run();
    return () => {
      isWanted = false;
    };
  }, [...about, round]);
  return { answer, isBusy, again: useCallback(() => setRound((one) => one + 1), []) };
}

/** Does something every so many seconds, while the page is seen. */
export function useEvery(seconds: number, run: () => void): void {
  useEffect(() => {
    const timer = setInterval(() => (document.hidden ? undefined : run()), seconds * 1000);
    return () => clearInterval(timer);
  }, [seconds, run]);
}

/** Who is signed in. A page that needs somebody sends nobody to sign in, and they come back. */
export function useSignedInUser(): Asked<User> {
  useEffect(() => session.onChange((isSignedIn) => (isSignedIn ? undefined : goToSignIn())), []);
  return useAsked(async () => {
    const answer = await ask(api.GET("/users/me"));
    if ("problem" in answer && answer.problem.status === 401) goToSignIn();
    return answer;
  }, []);
}

/** Away from this page, to come back when signed in. */
function goToSignIn(): void {
  location.assign(signInPath(location));
}
