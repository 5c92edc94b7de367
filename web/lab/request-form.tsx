import { useId } from "preact/hooks";
import { screenFacts } from "../parts/screen-facts.ts";
import { type As, type LiveRequest, methods } from "../parts/live-request.ts";
import { labWords as words } from "./lab-words.ts";
import { onSubmit } from "../parts/on-submit.ts";

type RequestFormProps = {
  readonly request: LiveRequest;
  readonly as: As;
  readonly fault: string | undefined;
  readonly isBusy: boolean;
  readonly onRequest: (request: LiveRequest) => void;
  readonly onAs: (as: As) => void;
  readonly onSend: () => void;
};

const roles: readonly As[] = screenFacts.isDevelopment ? ["nobody", "user", "administrator"] : ["nobody", "me"];

/** A request that can be edited in every part; Enter sends it. */
export function RequestForm({ request, as, fault, isBusy, onRequest, onAs, onSend }: RequestFormProps) {
  const id = useId();
  const { method, path, headers, body } = request;
  return (
    <form class="panel" aria-labelledby="request-title" novalidate onSubmit={onSubmit(onSend)}>
      <h2 id="request-title">{words.request}</h2>
      <div class="request-line">
        <span>
          <label for={`${id}-method`}>{words.method}</label>
          <select
            id={`${id}-method`}
            value={method}
            onChange={({ currentTarget }) => onRequest({ ...request, method: currentTarget.value })}
          >
            {methods.map((one) => (
              <option key={one}>{one}</option>
            ))}
          </select>
        </span>
        <span class="request-path">
          <label for={`${id}-path`}>{words.path}</label>
          <input
            id={`${id}-path`}
            name="path"
            value={path}
            spellcheck={false}
            autocomplete="off"
            onInput={({ currentTarget }) => onRequest({ ...request, path: currentTarget.value })}
          />
        </span>
      </div>
      <label for={`${id}-headers`}>{words.headers}</label>
      <textarea
        id={`${id}-headers`}
        rows={2}
        value={headers}
        spellcheck={false}
        aria-describedby={`${id}-hint`}
        onInput={({ currentTarget }) => onRequest({ ...request, headers: currentTarget.value })}
      />
      <p class="field-hint" id={`${id}-hint`}>
        {words.headersHint}
      </p>
      <label for={`${id}-body`}>{words.body}</label>
      <textarea
        id={`${id}-body`}
        rows={5}
        value={body}
        spellcheck={false}
        onInput={({ currentTarget }) => onRequest({ ...request, body: currentTarget.value })}
      />
      <Sender as={as} onAs={onAs} />
      <p class="field-error" role="alert">
        {fault}
      </p>
      <p class="actions">
        <button type="submit" class="primary" disabled={isBusy}>
          {words.send}
        </button>
      </p>
    </form>
  );
}

function Sender({ as, onAs }: Pick<RequestFormProps, "as" | "onAs">) {
  return (
    <>
      <fieldset class="choices">
        <legend>{words.as}</legend>
        {roles.map((one) => (
          <label key={one}>
            <input type="radio" name="as" checked={one === as} onChange={() => onAs(one)} />
            {words.asNames[one]}
          </label>
        ))}
      </fieldset>
      <p class="field-hint">{screenFacts.isDevelopment ? words.asHint : words.asHintProduction}</p>
    </>
  );
}
