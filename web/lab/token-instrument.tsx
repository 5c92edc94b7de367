import { useState } from "preact/hooks";
import { inWords } from "../parts/moment.tsx";
import { screenFacts } from "../parts/screen-facts.ts";
import { readToken, type TokenParts, writeToken } from "./jwt-parts.ts";
import type { As } from "../parts/live-request.ts";
import { labWords } from "./lab-words.ts";
import type { People } from "../parts/people.ts";
import type { Switches } from "./switches.tsx";
import { tokenWords as words } from "./token-words.ts";

type TokenInstrumentProps = {
  readonly people: People;
  readonly switches: Switches;
  readonly onSend: (token: string) => void;
};

const owners: readonly As[] = screenFacts.isDevelopment ? ["user", "administrator"] : ["me"];

/** Takes a token apart, changes it, and sends it. */
export function TokenInstrument({ people, switches, onSend }: TokenInstrumentProps) {
  const [token, setToken] = useState("");
  const parts = token === "" ? undefined : readToken(token);
  const take = async (as: As): Promise<void> => {
    const answer = await people.tokenOf(as);
    if ("data" in answer) setToken(answer.data ?? "");
  };
  return (
    <section class="panel" aria-labelledby="token-title">
      <h2 id="token-title">{words.title}</h2>
      <p>{words.lead}</p>
      <p class="actions">
        {owners.map((as) => (
          <button key={as} type="button" onClick={() => void take(as)}>
            {as === "me" ? words.takeMine : words.take(labWords.asNames[as])}
          </button>
        ))}
      </p>
      <label for="token">{words.token}</label>
      <textarea
        id="token"
        rows={4}
        spellcheck={false}
        autocomplete="off"
        class="token-text"
        value={token}
        aria-describedby="token-fault"
        onInput={({ currentTarget }) => setToken(currentTarget.value)}
      />
      <p class="field-error" id="token-fault" role="alert">
        {token !== "" && parts === undefined ? words.notOne : ""}
      </p>
      {parts ? <Taken parts={parts} now={Date.now() + switches.clockSeconds * 1000} /> : null}
      {parts ? <Changes parts={parts} onToken={setToken} /> : null}
      {parts ? (
        <p class="actions">
          <button type="button" class="primary" onClick={() => onSend(token.trim())}>
            {words.send}
          </button>
          {screenFacts.isDevelopment ? (
            <>
              <button type="button" onClick={() => void switches.advanceClock(960)}>
                {words.expire}
              </button>
              <span class="quiet">{words.expireHint}</span>
            </>
          ) : null}
        </p>
      ) : null}
    </section>
  );
}

function Taken({ parts, now }: { readonly parts: TokenParts; readonly now: number }) {
  const [header, claims, signature] = parts.encoded;
  return (
    <>
      <p class="token-colours" aria-hidden="true">
        <span class="part-header">{header}</span>.<span class="part-claims">{claims}</span>.
        <span class="part-signature">{signature}</span>
      </p>
      <div class="token-parts">
        <Members title={words.header} kind="part-header" members={parts.header} now={now} />
        <Members title={words.claims} kind="part-claims" members={parts.claims} now={now} />
        <div>
          <h3 class="part-signature">{words.signature}</h3>
          <p class="quiet">{parts.signature === "" ? words.noSignature : words.signatureText}</p>
        </div>
      </div>
    </>
  );
}

type MembersProps = {
  readonly title: string;
  readonly kind: string;
  readonly members: Readonly<Record<string, unknown>>;
  readonly now: number;
};

function Members({ title, kind, members, now }: MembersProps) {
  return (
    <div>
      <h3 class={kind}>{title}</h3>
      <dl class="token-members">
        {Object.entries(members).map(([name, value]) => (
          <div key={name}>
            <dt>
              <code>{name}</code>
            </dt>
            <dd>
              <code>{JSON.stringify(value)}</code>
              <span class="quiet"> {meaningOf(name, value, now)}</span>
            </dd>
          </div>
        ))}
      </dl>
    </div>
  );
}

/** What a member means; times in words (NumericDate: seconds since the epoch, RFC 7519 §2). */
function meaningOf(name: string, value: unknown, now: number): string {
  const meaning = words.meaning[name] ?? "";
  const isTime = (name === "iat" || name === "exp") && typeof value === "number";
  return isTime ? `${meaning} ${inWords(value * 1000 - now)}` : meaning;
}

type ChangesProps = { readonly parts: TokenParts; readonly onToken: (token: string) => void };

/** What somebody might try who has a token and wants more. */
function Changes({ parts, onToken }: ChangesProps) {
  const [fault, setFault] = useState("");
  const { header, claims, signature } = parts;
  const otherLetter = signature.startsWith("A") ? "B" : "A";
  const changes: Readonly<Record<keyof typeof words.changes, string>> = {
    administrator: writeToken(header, { ...claims, role: "admin" }, signature),
    other: writeToken(header, { ...claims, sub: String(Number(claims["sub"] ?? 0) + 1) }, signature),
    later: writeToken(header, { ...claims, exp: Number(claims["exp"] ?? 0) + 31_536_000 }, signature),
    none: writeToken({ ...header, alg: "none" }, claims, signature),
    hmac: writeToken({ ...header, alg: "HS256" }, claims, signature),
    signature: [parts.encoded[0], parts.encoded[1], otherLetter + signature.slice(1)].join("."),
  };
  const edit = (text: string): void => {
    const edited = parseObject(text);
    setFault(edited === undefined ? words.notJson : "");
    if (edited !== undefined) onToken(writeToken(header, edited, signature));
  };
  return (
    <div>
      <h3>{words.changeTitle}</h3>
      <div class="choices">
        {(Object.keys(changes) as (keyof typeof changes)[]).map((name) => (
          <button key={name} type="button" onClick={() => onToken(changes[name])}>
            {words.changes[name]}
          </button>
        ))}
      </div>
      <details>
        <summary>{words.edited}</summary>
        <textarea
          rows={12}
          spellcheck={false}
          aria-label={words.edited}
          value={JSON.stringify(claims, null, 2)}
          onChange={({ currentTarget }) => edit(currentTarget.value)}
        />
        <p class="field-error" role="alert">
          {fault}
        </p>
      </details>
    </div>
  );
}

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
    return isObject ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
