import { useState } from "preact/hooks";
import type { paths } from "../api-types.d.ts";
import { useAsked, useEvery } from "../parts/ask-hooks.ts";
import { api, ask, type Success } from "../server.ts";
import { consoleWords as words } from "./console-words.ts";
import { Empty, Shown, Table } from "./shown.tsx";

type LimitName = Success<paths["/admin/limits"]["get"]>["items"][number]["name"];
type KeyWindow = Success<paths["/admin/limits/{name}/keys/{key}"]["get"]>;

const refreshSeconds = 2;

/** The limits in force, who is near one, and the window of a key. */
export function Limits() {
  const asked = useAsked(() => ask(api.GET("/admin/limits")), []);
  const [name, setName] = useState<LimitName>();
  return (
    <>
      <p>{words.limitsLead}</p>
      <Shown asked={asked}>
        {({ items }) => (
          <Table
            label={words.places.limits}
            head={[words.limit, words.quota, words.per, { figures: words.keysHeld }, words.setting, words.meaning]}
          >
            {items.map((limit) => (
              <tr key={limit.name}>
                <th scope="row">
                  <button
                    type="button"
                    class="plain link"
                    aria-pressed={limit.name === name}
                    onClick={() => setName(limit.name)}
                  >
                    {limit.name}
                  </button>
                </th>
                <td>
                  {limit.quota === null || limit.window_seconds === null
                    ? words.off
                    : words.inSeconds(limit.quota, limit.window_seconds)}
                </td>
                <td class="words">{limit.keyed_by}</td>
                <td class="number">{limit.keys_held ?? ""}</td>
                <td>
                  <code>{limit.setting}</code>
                </td>
                <td class="words">{limit.meaning}</td>
              </tr>
            ))}
          </Table>
        )}
      </Shown>
      {name === undefined ? null : <NearestKeys key={name} name={name} />}
    </>
  );
}

function NearestKeys({ name }: { readonly name: LimitName }) {
  const params = { path: { name }, query: { near: true, limit: 20 } };
  const asked = useAsked(() => ask(api.GET("/admin/limits/{name}/keys", { params })), [name]);
  useEvery(refreshSeconds, asked.again);
  const [key, setKey] = useState<string>();
  return (
    <section aria-labelledby="nearest">
      <h2 id="nearest">{words.nearest(name)}</h2>
      <Shown asked={asked}>
        {({ items, quota }) =>
          items.length === 0 ? (
            <Empty text={words.nearestEmpty} />
          ) : (
            <Table label={words.nearest(name)} head={[words.key, words.used, { figures: words.freeIn }]}>
              {items.map((item) => (
                <tr key={item.key}>
                  <th scope="row">
                    <button type="button" class="plain link" title={words.showWindow} onClick={() => setKey(item.key)}>
                      <code>{item.key}</code>
                    </button>
                  </th>
                  <td>
                    {quota === null ? null : <meter min={0} max={quota} value={item.used} aria-label={words.used} />}{" "}
                    {quota === null ? item.used : words.of(item.used, quota)}
                  </td>
                  <td class="number">{item.remaining === 0 ? words.seconds(item.retry_after_seconds) : ""}</td>
                </tr>
              ))}
            </Table>
          )
        }
      </Shown>
      {key === undefined ? null : <OneWindow key={key} name={name} limitKey={key} />}
    </section>
  );
}

function OneWindow({ name, limitKey }: { readonly name: LimitName; readonly limitKey: string }) {
  const params = { path: { name, key: limitKey } };
  const asked = useAsked(() => ask(api.GET("/admin/limits/{name}/keys/{key}", { params })), [name, limitKey]);
  useEvery(refreshSeconds, asked.again);
  return (
    <section class="panel" aria-labelledby="window">
      <h3 id="window">{words.windowOf(limitKey)}</h3>
      <Shown asked={asked}>{(window) => <DrawnWindow window={window} />}</Shown>
    </section>
  );
}

const [width, height, radius] = [1000, 60, 7];

/** The accepted requests of a key by their age: the newest at the right, about to leave at the left. */
function DrawnWindow({
  window: { ages_ms: ages, window_seconds: seconds, used, quota },
}: {
  readonly window: KeyWindow;
}) {
  const length = (seconds ?? 60) * 1000;
  const said = quota === null ? String(used) : words.of(used, quota);
  return (
    <figure class="key-window">
      <svg viewBox={`0 0 ${width} ${height}`} role="img" aria-label={said}>
        <line x1={0} x2={width} y1={height / 2} y2={height / 2} />
        {ages.map((age) => (
          <circle
            key={age}
            cx={Math.max(radius, Math.min(width - radius, width * (1 - age / length)))}
            cy={height / 2}
            r={radius}
          />
        ))}
      </svg>
      <figcaption class="quiet">{said}</figcaption>
    </figure>
  );
}
