import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { query, testWithPostgres } from "../../test/support/postgres-cluster.ts";
import type { Environment } from "../config.ts";
import { runCli } from "./cli.ts";

const testOnPostgres = testWithPostgres();
const canary = "canary-password";

function environmentOf(url: string): Environment {
  const withPassword = new URL(url);
  withPassword.password = canary; // Nobody asks for it here; it must not be seen all the same.
  return {
    DATABASE_URL: withPassword.href,
    SECRET_KEY: "0123456789abcdef0123456789abcdef",
    ARGON2_MEMORY_KIB: "8",
    ARGON2_PASSES: "1",
  };
}

async function tollgate(env: Environment, ...args: string[]) {
  const out: string[] = [];
  const err: string[] = [];
  const exitCode = await runCli(args, { env, out: (line) => out.push(line), err: (line) => err.push(line) });
  assert.doesNotMatch([...out, ...err].join("\n"), new RegExp(canary));
  return { exitCode, out: out.join("\n"), err: err.join("\n") };
}

async function databaseCheck(env: Environment): Promise<{ state: string; found: string }> {
  const { out } = await tollgate(env, "doctor", "--json");
  const { checks } = JSON.parse(out) as { checks: { name: string; state: string; found: string }[] };
  return checks.find(({ name }) => name === "database") ?? assert.fail("there is no such check");
}

testOnPostgres("the commands work on PostgreSQL, and none makes a file", async (_t, cluster) => {
  const url = await cluster.makeDatabase();
  const env = environmentOf(url);
  const hadData = existsSync("data");
  assert.match((await tollgate(env, "config")).out, /DATABASE_URL +environment +postgres:\/\/tollgate:\*{8}@/);
  assert.match((await databaseCheck(env)).found, /has no tables yet/);
  const list = await tollgate(env, "keys", "list");
  assert.equal(list.exitCode, 1);
  assert.match(list.err, /^There is no database postgres:.*start the server once/);
  assert.deepEqual(await query(url, "select 1 from pg_tables where schemaname = 'public'"), [], "nothing was made");

  const made = await tollgate(env, "admin", "create", "ada@example.com");
  assert.equal(made.exitCode, 0, made.err);
  assert.match(made.out, /\n[\w-]{20,}$/);
  const again = await tollgate(env, "admin", "create", "ada@example.com");
  assert.equal(again.out, "ada@example.com is an administrator already: nothing was changed.");
  for (const word of ["rotate", "list"]) {
    const { exitCode, err } = await tollgate(env, "keys", word);
    assert.equal(exitCode, 0, err);
  }
  const twice = await tollgate(env, "keys", "rotate");
  assert.equal(twice.exitCode, 1);
  assert.match(twice.err, /on its way already/);
  const { exitCode, out } = await tollgate(env, "doctor");
  assert.equal(exitCode, 0, out);
  assert.equal(existsSync("data"), hadData);
});

testOnPostgres(
  "doctor finds a newer database, a disk that is not waited for, and a server that is away",
  async (t, cluster) => {
    const url = await cluster.makeDatabase();
    const env = environmentOf(url);
    await tollgate(env, "admin", "create", "ada@example.com");
    // The server of these tests is one that forgets: fsync is off.
    assert.match((await databaseCheck(env)).found, /does not wait for its disk/);
    await query(url, "insert into migrations (name, applied_at) values ('9999-future', 0)");
    const newer = await databaseCheck(env);
    assert.equal(newer.state, "failed");
    assert.match(newer.found, /newer version, which ran 9999-future/);
    const nowhere = await databaseCheck({ ...env, DATABASE_URL: `postgres://ada:${canary}@127.0.0.1:1/tollgate` });
    assert.equal(nowhere.state, "failed");
    assert.match(nowhere.found, /ECONNREFUSED/);
    t.diagnostic(nowhere.found);
  },
);

testOnPostgres("what must follow a pg_restore: nothing that was used comes back to life", async (_t, cluster) => {
  const url = await cluster.makeDatabase();
  const env = environmentOf(url);
  assert.equal((await tollgate(env, "admin", "create", "ada@example.com")).exitCode, 0);
  await query(
    url,
    `insert into sessions (id, account_id, created_at, authenticated_at, last_used_at, expires_at, address,
       refresh_secret, refresh_generation, refresh_key_tags) values ('s', 1, 1, 1, 1, 9e15, '::1', '', 1, '')`,
  );
  const { exitCode, out, err } = await tollgate(env, "restore", "--in-place", "--json");
  assert.equal(exitCode, 0, err);
  const { database, ...followed } = JSON.parse(out) as Record<string, unknown>;
  assert.match(String(database), /^postgres:/);
  assert.deepEqual(followed, { former: null, sessions_ended: 1, links_voided: 0, mails_withheld: 0 });
  assert.deepEqual(await query(url, "select end_reason from sessions"), [{ end_reason: "restored" }]);
  assert.equal((await tollgate(env, "admin", "create", "ben@example.com")).exitCode, 0);
  const [last] = await query<{ id: string }>(url, "select max(id) as id from accounts");
  assert.equal(Number(last?.id), 1_000_002);
});
