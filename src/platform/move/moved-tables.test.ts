import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { temporaryDirectory } from "../../../test/support/server-process.ts";
import { openUrl } from "../../../test/support/test-database.ts";
import { leftOut, movedTables } from "./moved-tables.ts";

test("every table is moved, or left out with a reason", async (t) => {
  const path = `${temporaryDirectory(t)}/tollgate.db`;
  const db = await openUrl(`sqlite:${path}`);
  const all = (await db.introspection.getTables()).map(({ name }) => name);
  await db.destroy();
  const file = new DatabaseSync(path);
  t.after(() => file.close());
  const moved = movedTables(file);
  assert.deepEqual([...moved.map(({ name }) => name), ...leftOut.keys()].toSorted(), all.toSorted());
  for (const [name, reason] of leftOut) assert.match(reason, /\w+ \w+/, name);

  const order = moved.map(({ name }) => name);
  for (const [child, parent] of [
    ["sessions", "accounts"],
    ["mails", "accounts"],
    ["mail_steps", "mails"],
    ["mail_tokens", "mails"],
    ["throwaway_accounts", "accounts"],
  ] as const) {
    assert.ok(order.indexOf(child) > order.indexOf(parent), `${child} after ${parent}`);
  }
  assert.deepEqual(moved.flatMap(({ name, numbered }) => (numbered ? [`${name}.${numbered}`] : [])).toSorted(), [
    "accounts.id",
    "events.id",
    "mail_steps.id",
  ]);
  assert.deepEqual(moved.find(({ name }) => name === "account_words")?.key, [
    { name: "word", type: "text" },
    { name: "account_id", type: "integer" },
  ]);
});

test("a table that cannot be moved stops the move instead of being forgotten", () => {
  const file = new DatabaseSync(":memory:");
  file.exec("create table a (x text)");
  assert.throws(() => movedTables(file), /The table a has no primary key/);
  file.exec("drop table a; create table b (id integer primary key, x real)");
  assert.throws(() => movedTables(file), /The table b has a column of the type real/);
  file.exec("drop table b");
  file.exec(
    "create table c (id integer primary key references d (id)); create table d (id integer primary key references c (id))",
  );
  assert.throws(() => movedTables(file), /go round in a circle/);
});
