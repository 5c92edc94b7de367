import { useState } from "preact/hooks";
import { Confirm } from "../parts/confirm.tsx";
import { ProblemNotice } from "../parts/notice.tsx";
import { needsProof, ProveAgain } from "../parts/prove-again.tsx";
import { api, ask, type Problem, type User } from "../server.ts";
import { accountWords as words } from "./account-words.ts";

/** Asks twice at the most: whether it is meant, and, when the sign-in is not recent, for the password. */
export function DeleteAccount({ user }: { readonly user: User }) {
  const [step, setStep] = useState<"none" | "sure" | "proof">("none");
  const [problem, setProblem] = useState<Problem>();
  const close = (): void => setStep("none");
  const remove = async (): Promise<void> => {
    const answer = await ask(api.DELETE("/users/{id}", { params: { path: { id: user.id } } }));
    if (needsProof(answer)) return setStep("proof");
    if ("data" in answer) return location.assign("/");
    setProblem(answer.problem);
    setStep("none");
  };
  return (
    <section aria-labelledby="remove">
      <h2 id="remove">{words.remove}</h2>
      <p class="quiet">{words.removeText}</p>
      {problem ? <ProblemNotice problem={problem} /> : null}
      <button type="button" class="danger" onClick={() => setStep("sure")}>
        {words.removeAction}
      </button>
      {step === "sure" ? (
        <Confirm
          title={words.removeTitle}
          action={words.removeAction}
          isDangerous
          onConfirm={() => void remove()}
          onClose={close}
        >
          <p>{words.removeText}</p>
        </Confirm>
      ) : null}
      {step === "proof" ? (
        <ProveAgain reason={words.removeProof} onProved={() => void remove()} onClose={close} />
      ) : null}
    </section>
  );
}
