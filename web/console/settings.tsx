import { useState } from "preact/hooks";
import { useAsked } from "../parts/ask-hooks.ts";
import { Field } from "../parts/field.tsx";
import { api, ask } from "../server.ts";
import { consoleWords as words } from "./console-words.ts";
import { Empty, Shown, Table } from "./shown.tsx";

/** Every setting with its value and where that came from. */
export function Settings() {
  const asked = useAsked(() => ask(api.GET("/admin/settings")), []);
  const [text, setText] = useState("");
  const wanted = text.trim().toLowerCase();
  return (
    <>
      <p>{words.settingsLead}</p>
      <form class="filters" role="search" onSubmit={(event) => event.preventDefault()}>
        <Field label={words.filter} name="filter" type="search" autocomplete="off" value={text} onValue={setText} />
      </form>
      <Shown asked={asked}>
        {({ items }) => {
          const shown = items.filter(({ name, meaning }) => `${name} ${meaning}`.toLowerCase().includes(wanted));
          if (shown.length === 0) return <Empty text={words.settingsNoMatch} />;
          return (
            <Table label={words.places.settings} head={[words.setting, words.value, words.origin, words.bounds]}>
              {shown.map(({ name, value, origin, bounds, meaning }) => (
                <tr key={name}>
                  <th scope="row">
                    <code>{name}</code>
                    <p class="quiet">{meaning}</p>
                  </th>
                  <td>
                    <code>{value}</code>
                  </td>
                  <td>
                    <span class={origin === "environment" ? "badge good" : "badge"}>{origin}</span>
                  </td>
                  <td class="quiet">{bounds}</td>
                </tr>
              ))}
            </Table>
          );
        }}
      </Shown>
    </>
  );
}
