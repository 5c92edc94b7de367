/**
 * kill -9 of a promotion, and of the way back, at any of their statements. The children are this file itself, called
 * with a task: `node move-kills.test.ts TASK PATH URL NUMBER`.
 */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { DatabaseSync } from "node:sqlite";
import { Client } from "pg";
import type { TestContext } from "node:test";
import { query, testWithPostgres } from "../../../test/support/postgres-cluster.ts";
import { temporaryDirectory } from "../../../test/support/server-process.ts";
import { databaseOf, openUrl } from "../../../test/support/test-database.ts";
import { inspectSqlite } from "../database/inspect-sqlite.ts";
import { abandonMove, commitMove, moveBack, moveToPostgres } from "./move.ts";

const clock = { now: () => 1 };
const rowsEach = 300;

async function run(task: string, path: string, url: string, statementNumber: number): Promise<void> {
  let statements = 0;
  const count = (): void => {
    statements += 1;
    if (statements === statementNumber) process.kill(process.pid, "SIGKILL");
  };
  const { query: ask } = Client.prototype;
  const { prepare } = DatabaseSync.prototype;
  // A statement of PostgreSQL is killed after it was sent, one of SQLite before it runs.
  Client.prototype.query = function (this: Client, ...given: Parameters<typeof ask>) {
    const answer: unknown = ask.apply(this, given);
    setImmediate(count);
    return answer as ReturnType<typeof ask>;
  } as typeof ask;
  DatabaseSync.prototype.prepare = function (text, options) {
    count();
    return prepare.call(this, text, options);
  };
  const database = databaseOf(url);
  assert.ok(database.kind === "postgres");
  const options = { target: database.target, clock, report: () => undefined };
  if (task === "back") await moveBack(options);
  else await moveToPostgres({ ...options, path, probe: async () => undefined });
  process.stdout.write(String(statements));
}

/** How many statements it took; `undefined` when it was killed. */
async function runTask(
  ...args: [task: string, path: string, url: string, number: number]
): Promise<number | undefined> {
  const child = spawn(process.execPath, [import.meta.filename, ...args.map(String)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let said = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (said += text));
  const [code, signal] = (await once(child, "close")) as [number | null, string | null];
  if (signal === "SIGKILL") return undefined;
  assert.equal(code, 0);
  return Number(said);
}

async function makeFile(t: TestContext): Promise<string> {
  const path = `${temporaryDirectory(t)}/tollgate.db`;
  await (await openUrl(`sqlite:${path}`, clock)).destroy();
  const file = new DatabaseSync(path);
  file.exec(`
    create temp table numbers as with recursive n(n) as (select 1 union all select n + 1 from n where n < ${rowsEach}) select n from n;
    insert into accounts (email, email_canonical, password_hash, role, created_at)
      select 'u' || n, 'u' || n, 'é', 'user', n from numbers;
    insert into sessions (id, account_id, created_at, authenticated_at, last_used_at, expires_at, address,
        refresh_secret, refresh_generation, refresh_key_tags)
      select char(n + 60000) || n, n, n, n, n, n, '::1', randomblob(9), 1, '' from numbers;
    insert into events (at, type, payload) select n, 't', '{"a":"\\u0000 😀"}' from numbers;
    insert into mails (id, kind, account_id, state, created_at, expires_at, tries, handed_over)
      select 'm' || n, 'k', n, 'refused', n, n, 0, 0 from numbers;
    insert into mail_steps (mail_id, at, step) select 'm' || n, n, 'queued' from numbers;
    insert into activity (minutes, starts_at, name, count) select 1, n, 'x', n from numbers;
    delete from accounts where id > ${rowsEach - 10};
  `);
  file.close();
  return path;
}

const changes = `
  update accounts set email_canonical = 'tmp' where id = 1;
  update accounts set email_canonical = 'u1' where id = 2;
  update accounts set email_canonical = 'u2' where id = 1;
  delete from accounts where id = 5;
  insert into accounts (email, email_canonical, password_hash, role, created_at) values ('u5', 'u5', 'x', 'user', 1);
  update sessions set refresh_generation = 7 where account_id = 9;
  delete from events where id % 3 = 0;
`;

const tablesCompared = ["accounts", "sessions", "events", "mails", "mail_steps", "activity"];

async function rowsOf(url: string): Promise<Record<string, string[]>> {
  const all: Record<string, string[]> = {};
  for (const table of tablesCompared) {
    const rows = url.startsWith("postgres")
      ? await query<Record<string, unknown>>(url, `select * from ${table}`)
      : new DatabaseSync(url).prepare(`select * from ${table}`).all();
    // Whole numbers come as text from pg.
    const plain = (value: unknown): unknown =>
      value instanceof Uint8Array ? Buffer.from(value).toString("hex") : typeof value === "number" ? `${value}` : value;
    const texts = rows.map((row) => {
      return JSON.stringify(
        Object.entries(row)
          .map(([name, value]) => [name, plain(value)])
          .toSorted(),
      );
    });
    all[table] = texts.toSorted();
  }
  return all;
}

async function statesOf(path: string, url: string): Promise<string> {
  const tables = await query(url, "select 1 from pg_tables where tablename = 'moves'");
  const [there] = tables.length === 0 ? [] : await query<{ state: string }>(url, "select state from moves");
  const here = new DatabaseSync(path).prepare("select state from moves").get();
  return `${String(here?.["state"])} ${there?.state}`;
}

const [task = "", path = "", url = "", number = ""] = process.argv.slice(2);
if (task === "to" || task === "back") {
  await run(task, path, url, Number(number));
} else {
  const testOnPostgres = testWithPostgres();

  testOnPostgres("a promotion killed again and again is taken up, and so is the way back", async (t, cluster) => {
    const file = await makeFile(t);
    const target = await cluster.makeDatabase();
    const before = await rowsOf(file);
    let wanted = 3;
    let kills = 0;
    // Each time further on: what was done before costs fewer statements then.
    while ((await runTask("to", file, target, wanted)) === undefined) {
      kills += 1;
      wanted += 70;
      assert.notEqual(await statesOf(file, target), "undefined arrived", "one at most takes writes");
      assert.deepEqual(await rowsOf(file), before, "nothing is lost where it came from");
    }
    assert.ok(kills >= 3, `${kills} kills`);
    assert.equal(await statesOf(file, target), "left arrived");
    assert.deepEqual(await rowsOf(target), before);
    await query(target, changes);
    const [last] = await query<{ id: string }>(target, "select max(id) as id from accounts");
    assert.equal(Number(last?.id), rowsEach + 1, "a number is never given again");
    const since = await rowsOf(target);

    wanted = 5;
    kills = 0;
    while ((await runTask("back", file, target, wanted)) === undefined) {
      kills += 1;
      wanted += 90;
      assert.deepEqual(await rowsOf(target), since);
    }
    assert.ok(kills >= 3, `${kills} kills`);
    assert.equal(await statesOf(file, target), "undefined left");
    assert.deepEqual(await rowsOf(file), since);
    const raw = new DatabaseSync(file);
    assert.deepEqual(raw.prepare("select name from sqlite_schema where type = 'trigger'").all(), []);
    const made = raw
      .prepare(
        "insert into accounts (email, email_canonical, password_hash, role, created_at) values ('z', 'z', 'x', 'user', 1)",
      )
      .run();
    assert.equal(made.lastInsertRowid, rowsEach + 2);
    raw.close();
  });

  testOnPostgres("a promotion is refused with one sentence, and nothing changes", async (t, cluster) => {
    const file = await makeFile(t);
    const before = await rowsOf(file);
    const promote = async (to: string): Promise<void> => {
      const database = databaseOf(to);
      assert.ok(database.kind === "postgres");
      await moveToPostgres({
        path: file,
        target: database.target,
        clock,
        report: () => undefined,
        probe: async () => undefined,
      });
    };
    const foreign = await cluster.makeDatabase();
    await query(foreign, "create table theirs (id int)");
    await assert.rejects(promote(foreign), /has a table theirs that is not of this version/);
    const used = await cluster.makeDatabase();
    await (await openUrl(used, clock)).destroy();
    await query(used, "insert into events (at, type, payload) values (1, 't', '{}')");
    await assert.rejects(promote(used), /is not empty: there are rows in events/);
    const newer = await cluster.makeDatabase();
    await (await openUrl(newer, clock)).destroy();
    await query(newer, "insert into migrations values ('9999-later', 1)");
    await assert.rejects(promote(newer), /newer version/);
    await assert.rejects(promote(cluster.url("nowhere")), /There is no database/);
    const raw = new DatabaseSync(file);
    raw.exec("update accounts set display_name = 'a' || char(0) || 'b' where id = 4");
    const empty = await cluster.makeDatabase();
    await assert.rejects(promote(empty), /1 rows of accounts in .* have a NUL character in display_name/);
    raw.exec("update accounts set display_name = null where id = 4");
    assert.deepEqual(await query(empty, "select 1 from pg_tables where schemaname = 'public'"), []);
    assert.deepEqual(raw.prepare("select * from moves").all(), []);
    raw.close();
    assert.deepEqual(await rowsOf(file), before);

    // Tables without a row are as good as none; committed, there is no way back.
    await (await openUrl(empty, clock)).destroy();
    await promote(empty);
    // Killed between its last two statements: neither takes writes, and the next call ends it.
    await query(empty, "update moves set state = 'arriving'");
    await assert.rejects(openUrl(empty, clock), /is not complete/);
    await assert.rejects(openUrl(`sqlite:${file}`, clock), /were moved/);
    await promote(empty);
    assert.equal(await statesOf(file, empty), "left arrived");
    await assert.rejects(promote(empty), /The accounts are in postgres:.* already/);
    await assert.rejects(promote(await cluster.makeDatabase()), /were moved to postgres:.* already/);
    const database = databaseOf(empty);
    assert.ok(database.kind === "postgres");
    assert.deepEqual(await commitMove(database), { file });
    await assert.rejects(moveBack({ target: database.target, clock, report: () => undefined }), /there is no way back/);
    await assert.rejects(openUrl(`sqlite:${file}`, clock), /were moved to postgres:/);
    const inspection = inspectSqlite(file);
    assert.match(
      JSON.stringify("warnings" in inspection && inspection.warnings),
      /the accounts were moved to postgres:/,
    );
    await abandonMove(file);
    await (await openUrl(`sqlite:${file}`, clock)).destroy();
  });
}
