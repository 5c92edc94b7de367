import { useState } from "preact/hooks";
import { useAsked } from "../parts/ask-hooks.ts";
import { Confirm } from "../parts/confirm.tsx";
import { Moment } from "../parts/moment.tsx";
import { ProblemNotice } from "../parts/notice.tsx";
import { needsProof, ProveAgain } from "../parts/prove-again.tsx";
import { toast } from "../parts/toasts.tsx";
import { api, ask, type Problem } from "../server.ts";
import { consoleWords as words } from "./console-words.ts";
import { Shown, Table } from "./shown.tsx";

/** The keys that sign access tokens: which one does, who still uses an old one, and a new one. */
export function Keys() {
  const asked = useAsked(() => ask(api.GET("/admin/keys")), []);
  return (
    <>
      <Shown asked={asked}>
        {({ items }) => (
          <Table
            label={words.places.keys}
            head={[
              words.key,
              words.algorithm,
              words.state,
              words.signsAt,
              { figures: words.seenHour },
              { figures: words.seenDay },
              words.lastSeen,
              words.safeSince,
            ]}
          >
            {items.map((key) => (
              <tr key={key.id}>
                <th scope="row">
                  <code class="id">{key.id}</code>
                </th>
                <td>{key.algorithm}</td>
                <td>
                  <span class={key.state === "signing" ? "badge good" : "badge"}>{words.keyState[key.state]}</span>
                </td>
                <td>
                  <Moment at={key.signs_at} />
                </td>
                <td class="number">{key.tokens_seen_last_hour}</td>
                <td class="number">{key.tokens_seen_last_day}</td>
                <td>{key.last_seen_at === null ? words.never : <Moment at={key.last_seen_at} />}</td>
                <td>{key.safe_to_retire_since === null ? words.notYet : <Moment at={key.safe_to_retire_since} />}</td>
              </tr>
            ))}
          </Table>
        )}
      </Shown>
      <Rotate onRotated={asked.again} />
    </>
  );
}

function Rotate({ onRotated }: { readonly onRotated: () => void }) {
  const [step, setStep] = useState<"none" | "sure" | "proof">("none");
  const [problem, setProblem] = useState<Problem>();
  const close = (): void => setStep("none");
  const rotate = async (): Promise<void> => {
    const answer = await ask(api.POST("/admin/keys/rotate"));
    if (needsProof(answer)) return setStep("proof");
    close();
    setProblem("problem" in answer ? answer.problem : undefined);
    if ("data" in answer) toast(words.rotated);
    onRotated();
  };
  return (
    <>
      {problem ? <ProblemNotice problem={problem} /> : null}
      <p class="actions">
        <button type="button" onClick={() => setStep("sure")}>
          {words.rotate}
        </button>
      </p>
      {step === "sure" ? (
        <Confirm title={words.rotate} action={words.rotate} onConfirm={() => void rotate()} onClose={close}>
          <p>{words.rotateText}</p>
        </Confirm>
      ) : null}
      {step === "proof" ? <ProveAgain reason={words.proof} onProved={() => void rotate()} onClose={close} /> : null}
    </>
  );
}
