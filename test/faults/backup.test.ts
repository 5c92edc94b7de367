import assert from "node:assert/strict";
import { copyFileSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { runCli } from "../../src/cli/cli.ts";
import { startServer, temporaryDirectory } from "../support/server-process.ts";
import { createTestServer, type TestServer } from "../support/test-server.ts";

const secret = { SECRET_KEY: "0123456789abcdef0123456789abcdef" };
const cheap = { ARGON2_MEMORY_KIB: "8", ARGON2_PASSES: "1" };

async function tollgate(args: readonly string[], env: Readonly<Record<string, string>>) {
  const [out, err]: [string[], string[]] = [[], []];
  const exitCode = await runCli(args, { env, out: (line) => out.push(line), err: (line) => err.push(line) });
  const errors = err.filter((line) => !/^\d+ %, /.test(line)); // How far it is.
  return { exitCode, stdout: out.join("\n"), stderr: errors.join("\n") };
}

/** All names in the directory of a database; its own files left out. */
function others(directory: string): string[] {
  return readdirSync(directory).filter((name) => !/^(?:tollgate\.db(?:-wal|-shm)?|control-\d+\.sock)$/.test(name));
}

// X27
test("a backup under writes has all that was acknowledged before it, and is whole", async (t) => {
  const directory = temporaryDirectory(t);
  const env = { DATABASE_URL: `sqlite:${directory}/tollgate.db`, ...secret, ...cheap, LIMIT_SIGN_UP: "off" };
  const server = await startServer(t, { env });
  const acknowledged: string[] = [];
  let isOver = false;
  const lanes = ["a", "b", "c"].map(async (lane) => {
    for (let index = 0; !isOver; index += 1) {
      const email = `${lane}${index}@example.com`;
      const { status } = await fetch(`${server.url}/users/`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ email, password: "password" }),
      });
      if (status === 201) acknowledged.push(email);
    }
  });
  while (acknowledged.length < 10) await fetch(`${server.url}/health/live`);
  const file = `${directory}/one.backup`;
  const before = [...acknowledged];
  const made = await tollgate(["backup", file, "--json"], env);
  const during = acknowledged.length - before.length;
  assert.equal(made.exitCode, 0, made.stderr);
  assert.deepEqual(JSON.parse(made.stdout), { file });
  const again = await tollgate(["backup", file], env);
  assert.deepEqual({ exitCode: again.exitCode, stdout: again.stdout }, { exitCode: 1, stdout: "" });
  assert.match(again.stderr, /is there already: nothing is overwritten/);
  const running = await tollgate(["restore", file], env);
  assert.equal(running.exitCode, 1);
  assert.match(running.stderr, /^A server runs on .*: stop it, then restore\.$/m);
  isOver = true;
  await Promise.all(lanes);
  assert.ok(during > 0, "nobody waited for the backup");
  assert.equal((await server.stop()).exitCode, 0);

  assert.deepEqual(others(directory), ["one.backup"], "nothing else is left lying about");
  assert.equal(statSync(file).mode & 0o777, 0o600);
  const copy = new DatabaseSync(file, { readOnly: true });
  assert.equal(copy.prepare("pragma integrity_check").get()?.["integrity_check"], "ok");
  const kept = new Set(
    copy
      .prepare("select email from accounts")
      .all()
      .map(({ email }) => email),
  );
  assert.deepEqual(
    before.filter((email) => !kept.has(email)),
    [],
  );
  const halves = copy
    .prepare("select count(*) as n from accounts where id not in (select account_id from sessions)")
    .get();
  assert.equal(halves?.["n"], 0, "no account without the session that came with it");
  copy.close();
});

type Client = { readonly token: string; readonly refresh: string };

async function signIn(server: TestServer, email: string, password: string): Promise<Client> {
  const { status, body, text } = await server.request("POST", "/auth/login", { body: { email, password } });
  assert.equal(status, 200, text);
  return { token: String(body["token"]), refresh: String(body["refresh_token"]) };
}

const refreshWith = (server: TestServer, refresh: string) =>
  server.request("POST", "/auth/refresh", { body: { refresh_token: refresh } });

// X27, I2
test("after a restore nothing that was used comes back to life; passwords and keys do", async (t) => {
  const directory = temporaryDirectory(t);
  const path = `${directory}/tollgate.db`;
  const env = { DATABASE_URL: `sqlite:${path}`, ...secret };
  const first = await createTestServer(env);
  const { email, password } = await first.signUp("ada@example.com");
  const ada = await signIn(first, email, password);
  for (let index = 0; index < 2; index += 1) await first.request("POST", "/auth/forgot-password", { body: { email } });
  const links = (await first.mails()).filter(({ page }) => page === "/mail/reset").map(({ token }) => token);
  assert.equal(links.length, 2);
  const waiting = {
    state: "queued",
    due_at: first.clock.now() + 3_600_000,
    content_encrypted: new Uint8Array(1),
  } as const;
  const { id } = await first.platform.db.selectFrom("mails").select("id").limit(1).executeTakeFirstOrThrow();
  await first.platform.db.updateTable("mails").set(waiting).where("id", "=", id).execute();
  const { body: jwks } = await first.request("GET", "/.well-known/jwks.json");
  const backup = `${directory}/one.backup`;
  assert.equal((await tollgate(["backup", backup], env)).exitCode, 0);

  // What happens after the backup.
  const used = await refreshWith(first, ada.refresh);
  assert.equal(used.status, 200);
  const changed = "another password";
  const reset = { token: links[0], new_password: changed };
  assert.equal((await first.request("POST", "/auth/reset-password", { body: reset })).status, 204);
  const later = await signIn(first, email, changed);
  const ben = await first.signUp("ben@example.com");
  await first.close();

  const restored = await tollgate(["restore", backup], { ...env, ...cheap });
  assert.equal(restored.exitCode, 0, restored.stderr);
  assert.match(restored.stdout, /^Restored .*\nWhat was there is kept as .*tollgate\.db\.before-\d{8}T\d{6}\.\n/);
  assert.match(restored.stdout, /^2 sessions ended, 3 links of mails are void, 1 mails stay unsent/m);
  assert.equal(statSync(path).mode & 0o777, 0o600);
  assert.equal(others(directory).length, 2, others(directory).join());

  const second = await createTestServer(env);
  for (const { token, refresh } of [
    ada,
    later,
    { token: String(used.body["token"]), refresh: String(used.body["refresh_token"]) },
  ]) {
    assert.equal((await second.request("GET", "/users/me", { token })).body["code"], "session-ended");
    assert.equal((await refreshWith(second, refresh)).body["code"], "refresh-refused");
  }
  for (const link of links) {
    const { body } = await second.request("POST", "/auth/reset-password", {
      body: { token: link, new_password: changed },
    });
    assert.equal(body["code"], "link-refused");
  }
  assert.deepEqual(await second.mails(), [], "no mail goes out a second time");
  assert.equal((await second.request("POST", "/auth/login", { body: { email, password: changed } })).status, 401);
  const { token } = await signIn(second, email, password);
  assert.equal((await second.request("GET", "/users/me", { token })).status, 200);
  assert.deepEqual((await second.request("GET", "/.well-known/jwks.json")).body, jwks);
  const cyd = await second.signUp("cyd@example.com");
  assert.ok(cyd.id > ben.id, "a number that others may know is not given again");
  assert.ok((await second.events()).includes("database/restored"));
});

test("a file that is no good backup is refused with one sentence, and nothing changes", async (t) => {
  const directory = temporaryDirectory(t);
  const path = `${directory}/tollgate.db`;
  const env = { DATABASE_URL: `sqlite:${path}`, ...secret, ...cheap };
  assert.equal((await tollgate(["admin", "create", "ada@example.com"], env)).exitCode, 0);
  const good = `${directory}/good`;
  const server = await createTestServer(env); // Makes the signing key.
  await server.close();
  assert.equal((await tollgate(["backup", good], env)).exitCode, 0);
  const before = readFileSync(path);

  const torn = `${directory}/torn`;
  const bytes = readFileSync(good);
  writeFileSync(torn, bytes.fill(0xff, 8192, 16_384));
  const foreign = `${directory}/foreign`;
  const other = new DatabaseSync(foreign);
  other.exec("create table migrations (name text)");
  other.close();
  const newer = `${directory}/newer`;
  copyFileSync(good, newer);
  const later = new DatabaseSync(newer);
  later.exec("insert into migrations values ('9999-later', 1)");
  later.close();
  const text = `${directory}/text`;
  writeFileSync(text, "not a database".repeat(100));
  const refusals: readonly (readonly [file: string, sentence: RegExp, env?: Readonly<Record<string, string>>])[] = [
    [`${directory}/none`, /^There is no file /],
    [torn, /damaged/],
    [foreign, /is no database of Tollgate/],
    [newer, /newer version of Tollgate \(9999-later\)/],
    [text, /is not an SQLite database/],
    [good, /SECRET_KEY is not the one/, { SECRET_KEY: "another secret of thirty-two bytes" }],
  ];
  await Promise.all(
    refusals.map(async ([file, sentence, more]) => {
      const { exitCode, stdout, stderr } = await tollgate(["restore", file], { ...env, ...more });
      assert.deepEqual({ exitCode, stdout }, { exitCode: 1, stdout: "" }, file);
      assert.match(stderr, sentence);
      assert.equal(stderr.trim().split("\n").length, 1, stderr);
    }),
  );
  assert.deepEqual(readFileSync(path), before);
  assert.ok(!readdirSync(directory).some((name) => /restoring|before/.test(name)));

  const reader = new DatabaseSync(path);
  reader.prepare("select 1 from accounts").get();
  const open = await tollgate(["restore", good], env);
  assert.match(open.stderr, /A server or another program has .*tollgate\.db open: stop it/);
  reader.close();

  const postgres = { ...env, DATABASE_URL: "postgres://a@localhost/b" };
  assert.match((await tollgate(["backup", `${directory}/x`], postgres)).stderr, /use pg_dump/);
  assert.match((await tollgate(["restore", good], postgres)).stderr, /use pg_restore, and then restore --in-place/);
  assert.equal(existsSync(`${directory}/x`), false);

  // A database that is beyond reading is what backups are for.
  writeFileSync(path, "not a database".repeat(100));
  const rescued = await tollgate(["restore", good, "--json"], env);
  assert.equal(rescued.exitCode, 0, rescued.stderr);
  assert.match(String((JSON.parse(rescued.stdout) as { former: string }).former), /before-/);
  const again = await createTestServer(env);
  assert.ok((await again.events()).includes("account/created"));
});

test("docs/operate/keys.md: a new SECRET_KEY, when the one that was there is no secret any more", async (t) => {
  const path = `${temporaryDirectory(t)}/tollgate.db`;
  const env = { DATABASE_URL: `sqlite:${path}`, ...secret };
  const first = await createTestServer(env);
  const { email, password, token } = await first.signUp("ada@example.com");
  await first.close();
  const next = { ...env, SECRET_KEY: "another secret of thirty-two bytes" };
  assert.match((await tollgate(["restore", "--in-place"], { ...next, ...cheap })).stderr, /SECRET_KEY is not the one/);
  const file = new DatabaseSync(path);
  file.exec("delete from signing_keys");
  file.close();
  assert.equal((await tollgate(["restore", "--in-place"], { ...next, ...cheap })).exitCode, 0);
  const second = await createTestServer(next);
  assert.equal((await second.request("GET", "/users/me", { token })).status, 401);
  await signIn(second, email, password);
});
