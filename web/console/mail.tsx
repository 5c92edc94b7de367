import { useEffect, useRef, useState } from "preact/hooks";
import type { paths } from "../api-types.d.ts";
import { useAsked } from "../parts/ask-hooks.ts";
import { Field } from "../parts/field.tsx";
import { Moment } from "../parts/moment.tsx";
import { screenFacts } from "../parts/screen-facts.ts";
import { api, ask, type Success } from "../server.ts";
import { consoleWords as words } from "./console-words.ts";
import { usePages, useSettled } from "./list-parts.ts";
import { Empty, More, Shown, Table } from "./shown.tsx";

type MailPage = Success<paths["/admin/mail"]["get"]>;
type Mail = MailPage["items"][number];
type Query = NonNullable<paths["/admin/mail"]["get"]["parameters"]["query"]>;
type State = Mail["state"];

const pageSize = 50;
const states = Object.keys(words.mailStates) as readonly State[];
const badgeOfState: Readonly<Partial<Record<State, string>>> = {
  delivered: "badge good",
  refused: "badge bad",
  expired: "badge bad",
  uncertain: "badge bad",
};

/** What became of each mail: in the outbox, at the relay, and with whoever opened its link. */
export function Mail() {
  const [text, setText] = useState("");
  const [state, setState] = useState<State>();
  const [openMail, setOpenMail] = useState<Mail>();
  const q = useSettled(text.trim());
  const query: Query = { limit: pageSize, ...(q === "" ? {} : { q }), ...(state === undefined ? {} : { state }) };
  const asked = useAsked(() => ask(api.GET("/admin/mail", { params: { query } })), [JSON.stringify(query)]);
  const listed = asked.answer && "data" in asked.answer ? asked.answer.data.items : [];
  const shown = listed.find(({ id }) => id === openMail?.id) ?? openMail;
  return (
    <>
      <p>{words.mailLead}</p>
      <form class="filters" role="search" onSubmit={(event) => event.preventDefault()}>
        <Field
          label={words.mailTo}
          name="q"
          type="search"
          autocomplete="off"
          maxLength={100}
          value={text}
          onValue={setText}
          hint={words.mailToHint}
        />
        <StateFilter state={state} onState={setState} />
        <button type="button" onClick={asked.again}>
          {words.refresh}
        </button>
      </form>
      {shown ? <Life mail={shown} /> : null}
      <Shown asked={asked}>
        {(first) => (
          <MailList
            key={JSON.stringify(query) + JSON.stringify(first)}
            first={first}
            query={query}
            isFiltered={q !== "" || state !== undefined}
            onOpen={setOpenMail}
          />
        )}
      </Shown>
    </>
  );
}

type StateFilterProps = { readonly state: State | undefined; readonly onState: (state: State | undefined) => void };

function StateFilter({ state, onState }: StateFilterProps) {
  return (
    <label>
      {words.state}
      <select
        value={state ?? ""}
        onChange={({ currentTarget: { value } }) => onState(states.find((one) => one === value))}
      >
        <option value="">{words.anyState}</option>
        {states.map((one) => (
          <option key={one} value={one}>
            {words.mailStates[one]}
          </option>
        ))}
      </select>
    </label>
  );
}

type MailListProps = {
  readonly first: MailPage;
  readonly query: Query;
  readonly isFiltered: boolean;
  readonly onOpen: (mail: Mail) => void;
};

function MailList({ first, query, isFiltered, onOpen }: MailListProps) {
  const pages = usePages(first, (cursor) => ask(api.GET("/admin/mail", { params: { query: { ...query, cursor } } })));
  const { items } = pages;
  if (items.length === 0) {
    return <Empty text={isFiltered ? words.mailNoMatch : screenFacts.hasMail ? words.mailEmpty : words.mailOff} />;
  }
  return (
    <>
      <Table
        label={words.places.mail}
        head={[words.at, words.mailKind, words.mailTo, words.state, words.mailLink, words.account]}
      >
        {items.map((mail) => (
          <MailRow key={mail.id} mail={mail} onOpen={() => onOpen(mail)} />
        ))}
      </Table>
      <More pages={pages} />
    </>
  );
}

function MailRow({ mail, onOpen }: { readonly mail: Mail; readonly onOpen: () => void }) {
  const kind = words.mailKinds[mail.kind];
  return (
    <tr>
      <td>
        <Moment at={mail.created_at} />
      </td>
      <th scope="row">
        <button
          type="button"
          class="plain link"
          aria-label={words.mailOpen(kind, mail.recipient ?? words.mailNobody)}
          onClick={onOpen}
        >
          {kind}
        </button>
      </th>
      <td>{mail.recipient ?? words.mailNobody}</td>
      <td>
        <span class={badgeOfState[mail.state] ?? "badge"}>{words.mailStates[mail.state]}</span>
      </td>
      <td>{mail.link ? words.mailLinks[mail.link.state] : words.none}</td>
      <td class="number">{mail.account_id ?? ""}</td>
    </tr>
  );
}

/** One mail, step by step. */
function Life({ mail }: { readonly mail: Mail }) {
  const title = useRef<HTMLHeadingElement>(null);
  useEffect(() => title.current?.focus(), [mail.id]);
  const { kind, recipient, state, tries, next_try_at: nextTryAt, link, steps, id } = mail;
  return (
    <section class="panel" aria-labelledby="life">
      <h2 id="life" tabIndex={-1} ref={title}>
        {words.mailLife}
      </h2>
      <p>
        <span class={badgeOfState[state] ?? "badge"}>{words.mailStates[state]}</span> {words.mailKinds[kind]} →{" "}
        {recipient ?? words.mailNobody}
      </p>
      <p class="quiet">
        {words.mailTries(tries)}
        {nextTryAt === null ? null : (
          <>
            {" "}
            · {words.mailNextTry}: <Moment at={nextTryAt} />
          </>
        )}
        {link === null ? null : ` · ${words.mailLink}: ${words.mailLinks[link.state]}`} · <code class="id">{id}</code>
      </p>
      <Table label={words.mailLife} head={[words.at, words.mailStep, words.mailWords]}>
        {steps.map(({ at, step, words: said }, index) => (
          <tr key={index}>
            <td>
              <Moment at={at} />
            </td>
            <th scope="row">{words.mailSteps[step]}</th>
            <td>{said ?? ""}</td>
          </tr>
        ))}
      </Table>
    </section>
  );
}
