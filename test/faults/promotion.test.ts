/** A hundred thousand accounts move to PostgreSQL and back under the hands of clients that go on. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { resolve } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { runCli } from "../../src/cli/cli.ts";
import { makeRefreshSecret, refreshTokensOf } from "../../src/features/sessions/refresh-tokens.ts";
import { createSecrets } from "../../src/platform/secrets.ts";
import { query, testWithPostgres } from "../support/postgres-cluster.ts";
import { runTollgate, type ServerProcess, startServer, temporaryDirectory } from "../support/server-process.ts";

const testOnPostgres = testWithPostgres();
/** PROMOTION_USERS=1000000 is a larger move. */
const users = Number(process.env["PROMOTION_USERS"] ?? 100_000);
const secretKey = "0123456789abcdef0123456789abcdef";
const secrets = createSecrets(secretKey);
const settings = {
  SECRET_KEY: secretKey,
  PUBLIC_URL: "http://localhost:8000",
  ARGON2_MEMORY_KIB: "8",
  ARGON2_PASSES: "1",
  ...Object.fromEntries(["SIGN_UP", "LOGIN_ADDRESS", "REFRESH", "API"].map((name) => [`LIMIT_${name}`, "off"])),
};

type Reply = {
  readonly status: number;
  readonly retryAfter: string | null;
  readonly body: Readonly<Record<string, unknown>>;
};
type Tokens = { readonly token: string; readonly refresh: string };

async function ask(
  { url }: Pick<ServerProcess, "url">,
  method: string,
  path: string,
  { body, token }: { readonly body?: object; readonly token?: string } = {},
): Promise<Reply> {
  const response = await fetch(url + path, {
    method,
    headers: {
      ...(body === undefined ? {} : { "content-type": "application/json" }),
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return {
    status: response.status,
    retryAfter: response.headers.get("retry-after"),
    body: text === "" ? {} : (JSON.parse(text) as Record<string, unknown>),
  };
}

const credentials = (name: string) => ({ email: `${name}@example.com`, password: `password of ${name}` });

async function signUp(server: ServerProcess, name: string): Promise<Tokens> {
  const { status, body } = await ask(server, "POST", "/users/", { body: credentials(name) });
  assert.equal(status, 201, JSON.stringify(body));
  return { token: String(body["token"]), refresh: String(body["refresh_token"]) };
}

async function refreshed(server: ServerProcess, refresh: string): Promise<Tokens> {
  const { status, body } = await ask(server, "POST", "/auth/refresh", { body: { refresh_token: refresh } });
  assert.equal(status, 200, JSON.stringify(body));
  return { token: String(body["token"]), refresh: String(body["refresh_token"]) };
}

/** Accounts with a living session each, straight into the file; the refresh token of every thousandth. */
function insertUsers(path: string): (number: number) => string {
  const file = new DatabaseSync(path, { timeout: 30_000 });
  // Ids that SQLite and a language of PostgreSQL's sort differently.
  const id = "iif(n % 2, 'a', 'B') || '-_' || printf('%018d', n) || 'A'";
  const now = Date.now();
  file.exec(`
    begin immediate;
    create temp table numbers as with recursive n(n) as (select 1 union all select n + 1 from n where n < ${users})
      select n from n;
    insert into accounts (email, email_canonical, password_hash, role, created_at)
      select 'u' || n || '@example.com', 'u' || n || '@example.com', 'x', 'user', ${now} from numbers;
    insert into account_words (word, account_id)
      select 'u' || n, id from numbers join accounts on email_canonical = 'u' || n || '@example.com' order by 1;
    insert into sessions (id, account_id, created_at, authenticated_at, last_used_at, expires_at, address, user_agent,
        refresh_secret, refresh_generation, refresh_key_tags)
      select ${id}, id, ${now}, ${now}, ${now}, ${now + 86_400_000}, '203.0.113.7', iif(n % 2, 'Zoë 🦔', null),
        randomblob(61), 1, ''
      from numbers join accounts on email_canonical = 'u' || n || '@example.com';
  `);
  const secretsOf = new Map<number, { id: string; refresh_secret: Uint8Array }>();
  const update = file.prepare(`update sessions set refresh_secret = ? where id = ?`);
  for (let number = 1000; number <= users; number += 1000) {
    const kept = { id: `B-_${String(number).padStart(18, "0")}A`, refresh_secret: makeRefreshSecret({ secrets }) };
    assert.equal(update.run(kept.refresh_secret, kept.id).changes, 1);
    secretsOf.set(number, kept);
  }
  file.exec("commit");
  file.close();
  return (number) => refreshTokensOf({ secrets }, secretsOf.get(number) ?? assert.fail("not kept")).write(1);
}

/** `tollgate promote`, killed when it says so. */
async function promoteAndDie(env: Record<string, string>, url: string, after: RegExp): Promise<void> {
  const main = resolve(import.meta.dirname, "../../src/main.ts");
  const child = spawn(process.execPath, [main, "promote", "--to", url], {
    env: { PATH: process.env["PATH"] ?? "", ...env },
    stdio: ["ignore", "inherit", "pipe"],
  });
  const ended = once(child, "close");
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    said += text;
    if (after.test(said)) child.kill("SIGKILL");
  });
  await ended;
  assert.equal(child.signalCode, "SIGKILL", said);
}

/** What a command that opens the database says when it may not; a server says the same. */
async function complaint(args: readonly string[], env: Readonly<Record<string, string>>): Promise<string> {
  const lines: string[] = [];
  const exitCode = await runCli(args, { env, out: () => undefined, err: (line) => lines.push(line) });
  assert.equal(exitCode, 1);
  return lines.join("\n");
}

const tables = ["accounts", "account_words", "sessions", "signing_keys", "events"];

function countsOf(path: string): Record<string, number> {
  const file = new DatabaseSync(path, { readOnly: true });
  const counts = tables.map((table) => [
    table,
    Number(file.prepare(`select count(*) as n from ${table}`).get()?.["n"]),
  ]);
  file.close();
  return Object.fromEntries(counts) as Record<string, number>;
}

async function countsAt(url: string): Promise<Record<string, number>> {
  const counts: [string, number][] = [];
  for (const table of tables) {
    const [row] = await query<{ n: number }>(url, `select count(*)::int as n from ${table}`);
    counts.push([table, row?.n ?? 0]);
  }
  return Object.fromEntries(counts);
}

function assertReadOnly({ status, body, retryAfter }: Reply): void {
  assert.deepEqual({ status, code: body["code"], retryAfter }, { status: 503, code: "read-only", retryAfter: "5" });
}

// X27, and what grows with a service
testOnPostgres(
  `${users} users with living sessions move to PostgreSQL and back, and nobody is signed out`,
  async (t, cluster) => {
    const path = `${temporaryDirectory(t)}/tollgate.db`;
    const onFile = { ...settings, DATABASE_URL: `sqlite:${path}` };
    const url = await cluster.makeDatabase();
    const onPostgres = { ...settings, DATABASE_URL: url };
    const servers = [await startServer(t, { env: onFile }), await startServer(t, { env: onFile })] as const;
    const [first, second] = servers;
    const ada = await signUp(first, "ada");
    const ben = await signUp(second, "ben");
    const refreshTokenOf = insertUsers(path);

    await promoteAndDie(onFile, url, /^[1-4]\d %, copying/m);
    // Its window is open still; the second process obeys as the first one does.
    for (const server of servers) {
      assert.equal((await ask(server, "GET", "/users/me", { token: ada.token })).status, 200);
      assertReadOnly(await ask(server, "PATCH", "/users/me", { token: ada.token, body: { display_name: "Ada" } }));
      assertReadOnly(await ask(server, "POST", "/auth/login", { body: credentials("ada") }));
      assertReadOnly(await ask(server, "POST", "/auth/refresh", { body: { refresh_token: ada.refresh } }));
      assert.equal((await ask(server, "GET", "/health/ready")).status, 200);
    }
    const late = await complaint(["admin", "create", "eve@example.com"], onFile);
    assert.match(late, /^The accounts are being moved to another database/);
    const half = await complaint(["admin", "create", "eve@example.com"], onPostgres);
    assert.match(half, /is being filled from .*tollgate\.db and is not complete/);

    const before = countsOf(path);
    const promoted = await runTollgate(["promote", "--to", url], onFile);
    assert.equal(promoted.exitCode, 0, promoted.stderr);
    assert.match(
      promoted.stdout,
      /^Moved \d+ tables with [\d,]+ rows from .*\n.*A sign-in and a refresh were tried there/,
    );
    assert.match(promoted.stdout, /^ {2}DATABASE_URL=postgres:/m);
    assert.deepEqual(await countsAt(url), before);
    assert.deepEqual(countsOf(path), before);
    for (const server of servers) {
      assertReadOnly(await ask(server, "POST", "/auth/refresh", { body: { refresh_token: ada.refresh } }));
      assert.equal((await ask(server, "GET", "/users/me", { token: ada.token })).status, 200);
    }
    for (const server of servers) assert.equal((await server.stop()).exitCode, 0, server.output());
    assert.match(await complaint(["keys", "list"], onFile), /were moved to postgres:/);

    const third = await startServer(t, { env: onPostgres });
    const latest = await goOn(third, { ada, ben }, refreshTokenOf);
    assert.equal(
      (await ask(third, "PATCH", "/users/me", { token: ada.token, body: { display_name: "Ada" } })).status,
      200,
    );
    const cyd = await signUp(third, "cyd");
    const { body } = await ask(third, "GET", "/users/me", { token: cyd.token });
    assert.equal(body["id"], users + 3, "numbers go on");
    assert.equal((await ask(third, "DELETE", "/users/2", { token: latest.ben.token })).status, 204);
    const since = await countsAt(url);
    const back = await runTollgate(["promote", "--back"], onPostgres);
    assert.equal(back.exitCode, 0, back.stderr);
    assertReadOnly(await ask(third, "POST", "/auth/refresh", { body: { refresh_token: cyd.refresh } }));
    assert.equal((await ask(third, "GET", "/users/me", { token: cyd.token })).status, 200);
    assert.equal((await third.stop()).exitCode, 0, third.output());
    assert.match(back.stdout, new RegExp(`^ {2}DATABASE_URL=sqlite:${path}$`, "m"));
    assert.deepEqual(countsOf(path), since);
    assert.match(await complaint(["keys", "list"], onPostgres), /were moved to .*tollgate\.db/);
    const fourth = await startServer(t, { env: onFile });
    const { body: me } = await ask(fourth, "GET", "/users/me", { token: ada.token });
    assert.equal(me["display_name"], "Ada", "what was written since came along");
    for (const { refresh } of [latest.ada, cyd]) await refreshed(fourth, refresh);
    assert.equal((await ask(fourth, "POST", "/auth/login", { body: credentials("ben") })).status, 401);
    assert.equal((await ask(fourth, "POST", "/auth/login", { body: credentials("cyd") })).status, 200);
    const dan = await signUp(fourth, "dan");
    assert.equal((await ask(fourth, "GET", "/users/me", { token: dan.token })).body["id"], users + 4);
    assert.equal((await fourth.stop()).exitCode, 0);
    assert.doesNotMatch(fourth.output() + third.output(), /"level":50|ERROR/);
  },
);

/** With the tokens of the server before: access and refresh, of some and of many. */
async function goOn(
  server: ServerProcess,
  { ada, ben }: Record<"ada" | "ben", Tokens>,
  refreshTokenOf: (number: number) => string,
): Promise<Record<"ada" | "ben", Tokens>> {
  for (const { token } of [ada, ben]) assert.equal((await ask(server, "GET", "/users/me", { token })).status, 200);
  for (let number = 1000; number <= users; number += Math.ceil(users / 50_000) * 1000) {
    await refreshed(server, refreshTokenOf(number));
  }
  return { ada: await refreshed(server, ada.refresh), ben: await refreshed(server, ben.refresh) };
}
