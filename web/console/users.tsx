import { useState } from "preact/hooks";
import type { paths } from "../api-types.d.ts";
import { useAsked } from "../parts/ask-hooks.ts";
import { Field } from "../parts/field.tsx";
import { Moment } from "../parts/moment.tsx";
import { api, ask, type Success } from "../server.ts";
import { consoleWords as words } from "./console-words.ts";
import { usePages, useSettled } from "./list-parts.ts";
import { Empty, More, Shown, Table } from "./shown.tsx";
import { UserDialog } from "./user-dialog.tsx";

type UserPage = Success<paths["/admin/users"]["get"]>;
type Query = NonNullable<paths["/admin/users"]["get"]["parameters"]["query"]>;

const pageSize = 50;

/** Find an account, see how it is, and change it. */
export function Users() {
  const [text, setText] = useState("");
  const [filters, setFilters] = useState<Pick<Query, "role" | "disabled">>({});
  const [openId, setOpenId] = useState<number>();
  const q = useSettled(text.trim());
  const query: Query = { limit: pageSize, ...(q === "" ? {} : { q }), ...filters };
  const asked = useAsked(() => ask(api.GET("/admin/users", { params: { query } })), [JSON.stringify(query)]);
  return (
    <>
      <form class="filters" role="search" onSubmit={(event) => event.preventDefault()}>
        <Field
          label={words.search}
          name="q"
          type="search"
          autocomplete="off"
          value={text}
          onValue={setText}
          hint={words.searchHint}
        />
        <Filters filters={filters} onFilters={setFilters} />
      </form>
      <Shown asked={asked}>
        {(first) => (
          <UserList
            key={JSON.stringify(query) + JSON.stringify(first)}
            first={first}
            query={query}
            isFiltered={q !== "" || Object.keys(filters).length > 0}
            onOpen={setOpenId}
          />
        )}
      </Shown>
      {openId === undefined ? null : (
        <UserDialog id={openId} onClose={() => setOpenId(undefined)} onChanged={asked.again} />
      )}
    </>
  );
}

type FiltersProps = {
  readonly filters: Pick<Query, "role" | "disabled">;
  readonly onFilters: (filters: Pick<Query, "role" | "disabled">) => void;
};

function Filters({ filters: { role, disabled }, onFilters }: FiltersProps) {
  return (
    <>
      <label>
        {words.role}
        <select
          value={role ?? ""}
          onChange={({ currentTarget: { value } }) =>
            onFilters({
              ...(disabled === undefined ? {} : { disabled }),
              ...(value === "admin" || value === "user" ? { role: value } : {}),
            })
          }
        >
          <option value="">{words.anyRole}</option>
          <option>user</option>
          <option>admin</option>
        </select>
      </label>
      <label>
        {words.state}
        <select
          value={disabled === undefined ? "" : String(disabled)}
          onChange={({ currentTarget: { value } }) =>
            onFilters({
              ...(role === undefined ? {} : { role }),
              ...(value === "" ? {} : { disabled: value === "true" }),
            })
          }
        >
          <option value="">{words.anyState}</option>
          <option value="false">{words.enabled}</option>
          <option value="true">{words.disabled}</option>
        </select>
      </label>
    </>
  );
}

type UserListProps = {
  readonly first: UserPage;
  readonly query: Query;
  readonly isFiltered: boolean;
  readonly onOpen: (id: number) => void;
};

function UserList({ first, query, isFiltered, onOpen }: UserListProps) {
  const pages = usePages(first, (cursor) => ask(api.GET("/admin/users", { params: { query: { ...query, cursor } } })));
  const { items } = pages;
  if (items.length === 0) return <Empty text={isFiltered ? words.usersNoMatch : words.usersEmpty} />;
  return (
    <>
      <Table
        label={words.places.users}
        head={[{ figures: words.id }, words.email, words.name, words.role, words.state, words.made]}
      >
        {items.map(({ id, email, display_name: name, role, disabled, created_at: madeAt }) => (
          <tr key={id}>
            <td class="number">{id}</td>
            <th scope="row">
              <button type="button" class="plain link" aria-label={words.open(email)} onClick={() => onOpen(id)}>
                {email}
              </button>
            </th>
            <td>{name ?? ""}</td>
            <td>{role}</td>
            <td>
              {disabled ? <span class="badge bad">{words.disabled}</span> : <span class="badge">{words.enabled}</span>}
            </td>
            <td>
              <Moment at={madeAt} />
            </td>
          </tr>
        ))}
      </Table>
      <More pages={pages} />
    </>
  );
}
