/** Migrations on PostgreSQL that are cut off, meet each other, or cannot be. */
import assert from "node:assert/strict";
import { setTimeout as pause } from "node:timers/promises";
import { Client } from "pg";
import { query, testWithPostgres } from "../../../test/support/postgres-cluster.ts";
import { databaseOf, openUrl } from "../../../test/support/test-database.ts";
import { StartError } from "../start-error.ts";
import { allMigrations, migrate, postgresTarget } from "./migrate.ts";
import { withPatientConnection } from "./postgres-open.ts";

const testOnPostgres = testWithPostgres();

type Contents = { readonly migrations: readonly string[]; readonly objects: readonly string[] };

/** Every table, column, index and constraint. */
async function contentsOf(url: string): Promise<Contents> {
  const objects = await query<{ name: string }>(
    url,
    `select c.relkind::text || ' ' || c.relname || coalesce(' ' || a.attname, '') as name
       from pg_class c left join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and c.relkind = 'r'
      where c.relnamespace = 'public'::regnamespace
      union all select 'constraint ' || conname from pg_constraint where connamespace = 'public'::regnamespace
      order by name`,
  );
  const names = objects.map(({ name }) => name);
  const migrations = names.some((name) => name.startsWith("r migrations "))
    ? await query<{ name: string }>(url, "select name from migrations order by name")
    : [];
  return { migrations: migrations.map(({ name }) => name), objects: names };
}

function postgresOf(url: string) {
  const database = databaseOf(url);
  assert.ok(database.kind === "postgres");
  return database;
}

testOnPostgres(
  "cut off before any of its statements, a migration leaves all of itself or nothing",
  async (t, cluster) => {
    // X23. To the server a process that is killed is a connection that closes.
    const reference = await cluster.makeDatabase();
    const stages: Contents[] = [await contentsOf(reference)];
    await withPatientConnection(postgresOf(reference).target, async (db) => {
      for (const count of allMigrations.keys()) {
        const migrations = allMigrations.slice(0, count + 1);
        await migrate(db, { clock: { now: () => 1 }, target: postgresTarget, migrations });
        stages.push(await contentsOf(reference));
      }
    });
    const whole = stages.at(-1);
    const send = Client.prototype.query;
    let cuts = 0;
    const url = await cluster.makeDatabase();
    for (let isCut = true; isCut;) {
      let statements = 0;
      isCut = false;
      const cutOff = function (this: Client, ...args: Parameters<typeof send>) {
        statements += 1;
        if (statements > cuts) {
          isCut = true;
          this.connection.stream.destroy();
        }
        return send.apply(this, args);
      };
      Client.prototype.query = cutOff as typeof send;
      try {
        await openUrl(url).then((db) => db.destroy());
      } catch (error) {
        assert.ok(error instanceof StartError, String(error));
      } finally {
        Client.prototype.query = send;
      }
      const left = await contentsOf(url);
      assert.ok(
        stages.some((stage) => JSON.stringify(stage) === JSON.stringify(left)),
        `after ${cuts} statements there was a half: ${left.objects.join(", ")}`,
      );
      await openUrl(url).then((db) => db.destroy());
      assert.deepEqual(
        await contentsOf(url),
        whole,
        `the next start completes what was cut off after ${cuts} statements`,
      );
      await query(url, "drop schema public cascade; create schema public");
      cuts += 1;
    }
    t.diagnostic(`${cuts - 1} statements`);
    assert.ok(cuts > 20);
  },
);

testOnPostgres("eight that start together migrate once, and all of them start", async (_t, cluster) => {
  // X23
  const url = await cluster.makeDatabase();
  const opened = await Promise.all(Array.from({ length: 8 }, (_, index) => openUrl(url, { now: () => index })));
  await Promise.all(opened.map((db) => db.destroy()));
  const rows = await query<{ name: string; applied_at: string }>(url, "select * from migrations");
  assert.deepEqual(rows.map(({ name }) => name).toSorted(), allMigrations.map(({ name }) => name).toSorted());
});

testOnPostgres("who comes while another one migrates waits for it", async (_t, cluster) => {
  const url = await cluster.makeDatabase();
  await using first = await openUrl(url);
  const other = new Client({ connectionString: url });
  await other.connect();
  await other.query("begin; select pg_advisory_xact_lock(7023091827345610001)");
  const refused = assert.rejects(openUrl(url), /newer version of Tollgate/);
  const waiters = "select 1 from pg_locks where locktype = 'advisory' and not granted";
  while ((await query(cluster.url("postgres"), waiters)).length === 0) await pause(10);
  // Whatever that one commits is seen by who waited.
  await other.query("insert into migrations values ('0999-future', 1); commit");
  await other.end();
  await refused;
  assert.equal((await first.selectFrom("migrations").select("name").execute()).length, allMigrations.length + 1);
});

testOnPostgres("a database that cannot be used is refused in a sentence, and left as it is", async (_t, cluster) => {
  const sentenceOf = async (url: string): Promise<string> => {
    const before = await contentsOf(url).catch(() => undefined);
    const error: unknown = await openUrl(url).then(
      () => assert.fail("it should not have opened"),
      (reason: unknown) => reason,
    );
    assert.ok(error instanceof StartError, String(error));
    assert.doesNotMatch(error.message, /hunter2/);
    assert.deepEqual(await contentsOf(url).catch(() => undefined), before);
    return error.message;
  };
  const foreign = await cluster.makeDatabase();
  await query(foreign, "create table bookmarks (url text)");
  assert.match(await sentenceOf(foreign), /another program: it has a table bookmarks/);
  const namesake = await cluster.makeDatabase();
  await query(namesake, "create table migrations (id int, batch int)");
  assert.match(await sentenceOf(namesake), /another program: its table migrations is not Tollgate's/);
  const otherLetters = cluster.url("latin");
  await query(cluster.url("postgres"), "create database latin encoding 'LATIN1' template template0");
  assert.match(await sentenceOf(otherLetters), /encoding LATIN1.*encoding 'UTF8'/);
  assert.match(await sentenceOf(cluster.url("nowhere")), /^There is no database postgres:.*nowhere.*createdb/);

  await query(cluster.url("postgres"), "create role guest login password 'hunter2'");
  const asGuest = new URL(await cluster.makeDatabase());
  asGuest.username = "guest";
  assert.match(await sentenceOf(asGuest.href), /The user guest may not make tables .*owner to guest/);
});

testOnPostgres("a server that is not there, or does not answer, is said at the start", async (t, cluster) => {
  const sentenceOf = async (url: string): Promise<string> => {
    const error: unknown = await openUrl(url).catch((reason: unknown) => reason);
    assert.ok(error instanceof StartError, String(error));
    return error.message;
  };
  assert.match(
    await sentenceOf("postgres://ada:hunter2@127.0.0.1:1/tollgate"),
    /^PostgreSQL cannot be reached: connect ECONNREFUSED 127\.0\.0\.1:1 at postgres:\/\/ada@127\.0\.0\.1:1\/tollgate\. /,
  );
  const thaw = cluster.freeze("everything");
  t.after(thaw);
  assert.match(await sentenceOf(cluster.url("postgres")), /^PostgreSQL made no connection within 5000 ms at /);
});
