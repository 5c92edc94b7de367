import { useEffect, useRef, useState } from "preact/hooks";
import { gates } from "../gates.ts";
import { useAsked } from "../parts/ask-hooks.ts";
import { Field } from "../parts/field.tsx";
import { Moment } from "../parts/moment.tsx";
import { ProblemNotice } from "../parts/notice.tsx";
import { onSubmit } from "../parts/on-submit.ts";
import { api, ask, type Problem } from "../server.ts";
import { consoleWords as words } from "./console-words.ts";
import { type Decision, useRefusals } from "./decision-stream.ts";
import { Empty, Shown, Table } from "./shown.tsx";

type Gate = (typeof gates)[number];

/** Why was it refused? By the id of a request, or live. */
export function Decisions() {
  const [requestId, setRequestId] = useState("");
  const [found, setFound] = useState<Decision>();
  const [problem, setProblem] = useState<Problem>();
  const find = async (): Promise<void> => {
    const path = { request_id: requestId.trim() };
    const answer = await ask(api.GET("/admin/decisions/{request_id}", { params: { path } }));
    setProblem("problem" in answer ? answer.problem : undefined);
    setFound("data" in answer ? answer.data : undefined);
  };
  return (
    <>
      <form class="filters" role="search" novalidate onSubmit={onSubmit(find)}>
        <Field label={words.requestId} name="request_id" autocomplete="off" value={requestId} onValue={setRequestId} />
        <button type="submit" disabled={requestId.trim() === ""}>
          {words.findRequest}
        </button>
      </form>
      {problem ? <ProblemNotice problem={problem} /> : null}
      {found ? <Way decision={found} /> : null}
      <Refusals onOpen={setFound} />
    </>
  );
}

/** The gates that a request passed, and which one refused it. */
function Way({ decision }: { readonly decision: Decision }) {
  const title = useRef<HTMLHeadingElement>(null);
  useEffect(() => title.current?.focus(), [decision]);
  const {
    method,
    path,
    status,
    code,
    request_id: requestId,
    gates: entries,
    at,
    address,
    account_id: account,
  } = decision;
  return (
    <section class="panel" aria-labelledby="way">
      <h2 id="way" tabIndex={-1} ref={title}>
        {words.way}
      </h2>
      <p>
        <span class="badge bad">{status}</span>{" "}
        <code>
          {method} {path}
        </code>{" "}
        <a href={`/errors/${encodeURIComponent(code)}`}>{code}</a>
      </p>
      <p class="quiet">
        <Moment at={at} /> · {address} · {words.account}: {account ?? words.none} · <code class="id">{requestId}</code>
      </p>
      <Table label={words.way} head={[words.gate, words.outcome, words.saw, { figures: words.took }]}>
        {entries.map(({ gate, outcome, saw, duration_ms: milliseconds }) => (
          <tr key={gate}>
            <th scope="row">{gate}</th>
            <td>
              <span class={outcome === "refused" ? "badge bad" : "badge good"}>{outcome}</span>
            </td>
            <td>{saw}</td>
            <td class="number">{milliseconds.toFixed(2)} ms</td>
          </tr>
        ))}
      </Table>
    </section>
  );
}

function Refusals({ onOpen }: { readonly onOpen: (decision: Decision) => void }) {
  const [gate, setGate] = useState<Gate>();
  const [isLive, setIsLive] = useState(true);
  const query = gate === undefined ? {} : { gate };
  const asked = useAsked(() => ask(api.GET("/admin/decisions", { params: { query } })), [gate]);
  return (
    <section aria-labelledby="live">
      <h2 id="live">{words.live}</h2>
      <p class="choices">
        <label>
          {words.gate}
          <select
            value={gate ?? ""}
            onChange={({ currentTarget: { value } }) => setGate(gates.find((one) => one === value))}
          >
            <option value="">{words.anyGate}</option>
            {gates.map((one) => (
              <option key={one}>{one}</option>
            ))}
          </select>
        </label>
        <button type="button" onClick={() => setIsLive(!isLive)}>
          {isLive ? words.pause : words.resume}
        </button>
      </p>
      <Shown asked={asked}>
        {({ items }) => <Stream key={gate} first={items} gate={gate} isLive={isLive} onOpen={onOpen} />}
      </Shown>
    </section>
  );
}

type StreamProps = {
  readonly first: readonly Decision[];
  readonly gate: Gate | undefined;
  readonly isLive: boolean;
  readonly onOpen: (decision: Decision) => void;
};

function Stream({ first, gate, isLive, onOpen }: StreamProps) {
  const { decisions, state } = useRefusals(first, gate, isLive);
  return (
    <>
      <p class="quiet" role="status">
        {isLive ? (state === "lost" ? words.liveLost : words.liveOn) : ""}
      </p>
      {decisions.length === 0 ? (
        <Empty text={words.decisionsEmpty} />
      ) : (
        <Table
          label={words.live}
          head={[
            words.at,
            words.request,
            { figures: words.status },
            words.gate,
            words.code,
            { figures: words.account },
            words.address,
          ]}
        >
          {decisions.map((decision) => (
            <tr key={decision.id}>
              <td>
                <Moment at={decision.at} />
              </td>
              <th scope="row">
                <button type="button" class="plain link" onClick={() => onOpen(decision)}>
                  <code>
                    {decision.method} {decision.path}
                  </code>
                </button>
              </th>
              <td class="number">{decision.status}</td>
              <td>{decision.decided_by}</td>
              <td>{decision.code}</td>
              <td class="number">{decision.account_id ?? ""}</td>
              <td>{decision.address}</td>
            </tr>
          ))}
        </Table>
      )}
    </>
  );
}
