import { useEffect, useState } from "preact/hooks";
import { asCurl } from "../as-code.ts";
import { type Exchange, exchangesMade, onExchange } from "../exchanges.ts";
import { readServerTiming } from "../gates.ts";
import { CopyButton } from "./copy-button.tsx";
import { partWords as words } from "./part-words.ts";

/** What this page has asked the server so far, to be read and to be done again with curl. */
export function RequestsMade() {
  const [exchanges, setExchanges] = useState(exchangesMade);
  useEffect(() => onExchange(() => setExchanges(exchangesMade())), []);
  return (
    <details class="requests-made">
      <summary>{words.requestsMade(exchanges.length)}</summary>
      <p class="quiet">{words.requestsWhy}</p>
      <ol class="exchange-list">
        {exchanges.map((exchange) => (
          <ExchangeLine key={exchange.id} exchange={exchange} />
        ))}
      </ol>
    </details>
  );
}

function ExchangeLine({ exchange }: { readonly exchange: Exchange }) {
  const { method, path, status, milliseconds, serverTiming, requestBody } = exchange;
  const refused = readServerTiming(serverTiming).find(({ outcome }) => outcome === "refused");
  const curl = asCurl({
    method,
    url: location.origin + path,
    headers: [
      ["authorization", "Bearer $TOKEN"],
      ...(requestBody === undefined ? [] : [["content-type", "application/json"] as const]),
    ],
    body: requestBody,
  });
  return (
    <li>
      <code>
        {method} {path}
      </code>
      <span class={status >= 400 || status === 0 ? "badge bad" : "badge good"}>
        {status === 0 ? words.noAnswer : status}
      </span>
      <span class="quiet">
        {Math.round(milliseconds)} ms{refused ? ` · ${refused.gate}: ${refused.saw}` : ""}
      </span>
      <CopyButton text={curl} what="curl" />
    </li>
  );
}
