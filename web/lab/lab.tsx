import { useCallback, useEffect, useMemo, useState } from "preact/hooks";
import { ProblemNotice } from "../parts/notice.tsx";
import { mountScreen } from "../parts/mount.tsx";
import { screenFacts } from "../parts/screen-facts.ts";
import type { Answer, Problem } from "../server.ts";
import { AnswerView, AsCode } from "./answer-view.tsx";
import { type Card, cards, fillCard, moreCards, playedAs } from "./cards.ts";
import { GateTrack } from "./gate-track.tsx";
import { History, type Sent } from "./history.tsx";
import { type As, codeRequest, type LiveRequest, readHeaders } from "../parts/live-request.ts";
import { type LiveAnswer, sendRequest } from "../parts/send-request.ts";
import { cardWords, labWords as words } from "./lab-words.ts";
import { People } from "../parts/people.ts";
import { problemCard } from "./problem-card.ts";
import { RequestForm } from "./request-form.tsx";
import { type Switches, SwitchNotices, useSwitches } from "./switches.tsx";
import { TokenInstrument } from "./token-instrument.tsx";
import { WindowInstrument } from "./window-instrument.tsx";
import "./lab.css";

const historyMax = 20;
const people = new People();

/** What stands in the form: a request, and what belongs to it. */
type Draft = {
  readonly request: LiveRequest;
  readonly as: As;
  readonly card: Card | undefined;
  /** The token that the form was last filled or sent with, for the code. */
  readonly token: string | undefined;
};

const noDraft: Draft = {
  request: { method: "GET", path: "/users/me", headers: "", body: "" },
  as: "nobody",
  card: undefined,
  token: undefined,
};

/** What the Lab knows and can do; `Lab` shows it. */
function useLab() {
  const [draft, setDraft] = useState(noDraft);
  const [sent, setSent] = useState<readonly Sent[]>([]);
  const [problem, setProblem] = useState<Problem>();
  const [fault, setFault] = useState<string>();
  const [isBusy, setIsBusy] = useState(true); // Until the first card is in the form.
  const switches = useSwitches();

  const pick = useCallback(async (card: Card): Promise<void> => {
    setIsBusy(true);
    const filled = await fill(card);
    setIsBusy(false);
    setFault(undefined);
    if ("problem" in filled) return setProblem(filled.problem);
    setProblem(undefined);
    setDraft(filled.data);
  }, []);
  useEffect(() => {
    const begin = async (): Promise<void> => {
      const asked = await problemCard(new URLSearchParams(location.search).get("problem"), people);
      if (asked && "problem" in asked) setProblem(asked.problem);
      const first = asked && "data" in asked ? asked.data : cards[0];
      if (first) await pick(first);
    };
    void begin();
  }, []);

  const send = async (what: Draft): Promise<void> => {
    const wrong = faultOf(what.request);
    setFault(wrong);
    if (wrong !== undefined) return;
    setIsBusy(true);
    const outcome = await sendDraft(what, switches);
    setIsBusy(false);
    if ("fault" in outcome) return setFault(outcome.fault);
    if ("problem" in outcome) return setProblem(outcome.problem);
    setProblem(undefined);
    setDraft({ ...what, token: outcome.token });
    setSent((before) => [...outcome.sent.toReversed(), ...before].slice(0, historyMax));
  };

  const playAs = async (as: As): Promise<void> => {
    const token = await people.tokenOf(as);
    if ("problem" in token) setProblem(token.problem);
    else setDraft((before) => ({ ...before, as, token: token.data }));
  };
  return { draft, setDraft, sent, problem, fault, isBusy, switches, pick, send, playAs };
}

function Lab() {
  const { draft, setDraft, sent, problem, fault, isBusy, switches, pick, send, playAs } = useLab();
  const answer = sent[0]?.answer;
  const code = useMemo(() => codeRequest(draft.request, draft.token, location.origin), [draft]);
  return (
    <div class="wide lab">
      <Cards picked={draft.card} onPick={(card) => void pick(card)} />
      <SwitchNotices switches={switches} />
      {problem ? <ProblemNotice problem={problem} /> : null}
      <GateTrack answer={answer} />
      <div class="lab-columns">
        <RequestForm
          request={draft.request}
          as={draft.as}
          fault={fault}
          isBusy={isBusy}
          onRequest={(request) => setDraft({ ...draft, request })}
          onAs={(as) => void playAs(as)}
          onSend={() => void send(draft)}
        />
        <section class="panel" aria-labelledby="answer-title">
          <h2 id="answer-title">{words.answer}</h2>
          <AnswerView answer={answer} />
        </section>
      </div>
      <AsCode request={code} />
      <History
        sent={sent}
        onReplay={({ draft: again }) => void send(again)}
        onEdit={({ draft: again }) => setDraft(again)}
      />
      <TokenInstrument people={people} switches={switches} onSend={(token) => void send(withToken(token))} />
      <WindowInstrument />
    </div>
  );
}

function Cards({ picked, onPick }: { readonly picked: Card | undefined; readonly onPick: (card: Card) => void }) {
  const button = (card: Card) => (
    <button
      key={card.status}
      type="button"
      class="lab-card"
      aria-pressed={card === picked}
      disabled={card.withoutDatabase === true && !screenFacts.isDevelopment}
      title={card.withoutDatabase && !screenFacts.isDevelopment ? words.needsDevelopment : undefined}
      onClick={() => onPick(card)}
    >
      <strong>{card.status}</strong>
      <span>{cardWords[card.status]}</span>
    </button>
  );
  return (
    <section aria-labelledby="cards-title">
      <h2 id="cards-title">{words.pick}</h2>
      <div class="lab-cards">{cards.map(button)}</div>
      <details class="lab-more">
        <summary>{words.more}</summary>
        <div class="lab-cards">{moreCards.map(button)}</div>
      </details>
    </section>
  );
}

/** A card as a draft: whoever it is played as is made, and what it speaks of. */
async function fill(card: Card): Promise<Answer<Draft>> {
  const as = playedAs(card.as, screenFacts.isDevelopment);
  const filled = await fillCard(card, () => people.get("user"));
  if ("problem" in filled) return filled;
  const token = await people.tokenOf(as);
  if ("problem" in token) return token;
  return { data: { request: filled.data, as, card, token: token.data } };
}

type Outcome =
  | { readonly sent: readonly Sent[]; readonly token: string | undefined }
  | { readonly fault: string }
  | { readonly problem: Problem };

/** Sends what leads to a draft, then the draft itself as often as its card says. All that was sent, the oldest first. */
async function sendDraft(what: Draft, switches: Switches): Promise<Outcome> {
  const { card } = what;
  if (card?.withoutDatabase) {
    const token = await people.tokenOf(what.as); // Made while there still is a database.
    if ("problem" in token) return token;
    await switches.switchDatabaseOff();
  }
  const steps = [...(card?.before ?? []), { request: what.request, as: what.as, times: card?.times ?? 1 }];
  const replaced = new Map<As, string>();
  const sent: Sent[] = [];
  let lastToken: string | undefined;
  for (const { request, as, times } of steps) {
    const token: Answer<string | undefined> = replaced.has(as) ? { data: replaced.get(as) } : await people.tokenOf(as);
    if ("problem" in token) return token;
    for (let time = 0; time < times; time += 1) {
      const answer: LiveAnswer | undefined = await sendRequest(request, token.data).catch(() => undefined);
      if (answer === undefined) return { fault: words.noAnswer };
      sent.push({ id: crypto.randomUUID(), draft: { request, as, card: undefined, token: token.data }, answer });
    }
    const made = tokenIn(sent.at(-1)?.answer.body ?? "");
    if (made !== undefined && as !== "nobody") replaced.set(as, made);
    if (request.method === "DELETE" && sent.at(-1)?.answer.status === 204) people.forget(as);
    lastToken = token.data;
  }
  await switches.look();
  return { sent, token: lastToken };
}

/** A sign-in among the steps gives its account another token. */
function tokenIn(body: string): string | undefined {
  return /^\s*"token": "([\w.-]+)"/m.exec(body)?.[1];
}

function faultOf({ path, headers }: LiveRequest): string | undefined {
  const read = readHeaders(headers);
  if ("wrongLine" in read) return words.wrongLine(read.wrongLine);
  return path.startsWith("/") && URL.canParse(path, location.origin) && !path.startsWith("//")
    ? undefined
    : words.wrongPath;
}

/** `GET /users/me` with a token that somebody changed by hand. */
function withToken(token: string): Draft {
  const request = { method: "GET", path: "/users/me", headers: `authorization: Bearer ${token}`, body: "" };
  return { request, as: "nobody", card: undefined, token: undefined };
}

mountScreen(<Lab />);
