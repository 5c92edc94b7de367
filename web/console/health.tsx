import { useAsked, useEvery } from "../parts/ask-hooks.ts";
import { ProblemNotice } from "../parts/notice.tsx";
import { api, ask } from "../server.ts";
import { consoleWords as words } from "./console-words.ts";
import { Table } from "./shown.tsx";

const refreshSeconds = 5;

/** What a load balancer asks, for people. */
export function Health() {
  const live = useAsked(() => ask(api.GET("/health/live")), []);
  const ready = useAsked(() => ask(api.GET("/health/ready")), []);
  useEvery(refreshSeconds, live.again);
  useEvery(refreshSeconds, ready.again);
  const isAlive = live.answer && "data" in live.answer;
  const isReady = ready.answer && "data" in ready.answer;
  const parts = ready.answer && "data" in ready.answer ? Object.entries(ready.answer.data.parts) : [];
  return (
    <>
      <p>{words.healthLead}</p>
      <ul class="status">
        {isAlive ? <li class="good">{words.alive}</li> : null}
        {ready.answer === undefined ? null : (
          <li class={isReady ? "good" : "bad"}>{isReady ? words.ready : words.notReady}</li>
        )}
      </ul>
      {live.answer && "problem" in live.answer ? <ProblemNotice problem={live.answer.problem} /> : null}
      {ready.answer && "problem" in ready.answer ? <ProblemNotice problem={ready.answer.problem} /> : null}
      {parts.length > 0 ? (
        <Table label={words.places.health} head={[words.part, words.state]}>
          {parts.map(([part, state]) => (
            <tr key={part}>
              <th scope="row">{part}</th>
              <td>{String(state)}</td>
            </tr>
          ))}
        </Table>
      ) : null}
    </>
  );
}
