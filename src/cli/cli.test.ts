import assert from "node:assert/strict";
import { existsSync, globSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { type TestContext, test } from "node:test";
import { Redis as Client } from "ioredis";
import { startRedis, withoutRedis } from "../../test/support/redis-server.ts";
import { freePort } from "../../test/support/server-process.ts";
import type { Environment } from "../config.ts";
import { runCli } from "./cli.ts";

type Place = { readonly directory: string; readonly env: Environment };

function makePlace(t: TestContext): Place {
  const directory = mkdtempSync(join(tmpdir(), "tollgate-cli-"));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const env = { DATABASE_URL: `sqlite:${directory}/tollgate.db`, ARGON2_MEMORY_KIB: "8", ARGON2_PASSES: "1" };
  return { directory, env };
}

async function tollgate(env: Environment, ...args: string[]) {
  const out: string[] = [];
  const err: string[] = [];
  const exitCode = await runCli(args, { env, out: (line) => out.push(line), err: (line) => err.push(line) });
  return { exitCode, out, err };
}

const commands = [
  ["serve"],
  ["admin", "create"],
  ["config"],
  ["doctor"],
  ["keys", "list"],
  ["backup"],
  ["promote"],
  ["restore"],
  ["why"],
];

test("every command tells how it is used, and can answer in JSON", async (t) => {
  const { env, directory } = makePlace(t);
  for (const command of commands) {
    const { exitCode, out, err } = await tollgate(env, ...command, "--help");
    assert.equal(exitCode, 0);
    assert.match(out.join("\n"), /^Usage: tollgate/);
    assert.match(out.join("\n"), /--json/, command.join(" "));
    assert.deepEqual(err, []);
  }
  assert.deepEqual(readdirSync(directory), []);
});

test("every command that the documents name is there, with its options", async () => {
  const root = join(import.meta.dirname, "../..");
  const documents = ["README.md", ...globSync("docs/operate/*.md", { cwd: root })];
  const named = documents.flatMap((document) => {
    const text = readFileSync(join(root, document), "utf8");
    return [...text.matchAll(/(?:npm run (?:-s )?tollgate -- |"tollgate )([^\n`"]+)/g)].map(([, words = ""]) =>
      words.trim(),
    );
  });
  assert.ok(named.length >= 8, "they name some");
  const known = new Map(commands.map((command) => [command.join(" "), command]));
  known.set("keys rotate", ["keys", "rotate"]);
  for (const words of named) {
    const found = [...known].find(([name]) => words === name || words.startsWith(`${name} `));
    assert.ok(found, `there is no command ${words}`);
    const { out } = await tollgate({}, ...found[1], "--help");
    for (const [option] of words.matchAll(/--[a-z-]+/g))
      assert.match(out.join("\n"), new RegExp(`${option}\\b`), words);
  }
});

test("a misused command ends with 2 and a sentence, and does nothing", async (t) => {
  const { env, directory } = makePlace(t);
  const misused = [
    [],
    ["nonsense"],
    ["--nonsense"],
    ["admin"],
    ["admin", "create"],
    ["admin", "create", "a@example.com", "b@example.com"],
    ["keys", "nonsense"],
    ["backup"],
    ["promote"],
    ["promote", "--back", "--commit"],
    ["restore"],
    ["restore", "file", "--in-place"],
    ["why"],
    ["why", ""],
    ["why", "x".repeat(129)],
    ...commands.map((command) => [...command, "--nonsense"]),
  ];
  for (const args of misused) {
    const { exitCode, out, err } = await tollgate(env, ...args);
    assert.equal(exitCode, 2, args.join(" "));
    assert.deepEqual(out, []);
    assert.notEqual(err.join(""), "");
  }
  assert.deepEqual(readdirSync(directory), []);
});

test("bad settings end every command with 1 and a line for each fault", async () => {
  const env = { PORT: "x", LOG_LEVEL: "y", SECRET_KEY: "canary" };
  for (const command of [["serve"], ["admin", "create", "a@example.com"], ["config"], ["keys", "list"], ["why", "x"]]) {
    const { exitCode, out, err } = await tollgate(env, ...command);
    assert.equal(exitCode, 1);
    assert.deepEqual(out, []);
    const names = err
      .join("\n")
      .split("\n")
      .map((line) => line.split(" ", 1)[0]);
    assert.deepEqual(names, ["PORT", "SECRET_KEY", "LOG_LEVEL"], command.join(" "));
    assert.doesNotMatch(err.join("\n"), /canary/);
  }
});

test("config shows every setting with value and origin, and masks secrets", async () => {
  const env = { SECRET_KEY: "canary-0123456789-0123456789-0123456789", PORT: "9000" };
  const text = await tollgate(env, "config");
  assert.equal(text.exitCode, 0);
  assert.match(text.out.join("\n"), /^PORT +environment +9000$/m);
  assert.match(text.out.join("\n"), /^HOST +default +127\.0\.0\.1$/m);
  assert.match(text.out.join("\n"), /^SECRET_KEY +environment +\*{8}$/m);
  const json = await tollgate(env, "config", "--json");
  const { settings } = JSON.parse(json.out.join("\n"));
  assert.deepEqual(settings[2], {
    name: "PORT",
    value: "9000",
    origin: "environment",
    default: "8000",
    meaning: "The TCP port to listen on.",
    bounds: "1 to 65535",
  });
  assert.doesNotMatch([...text.out, ...json.out].join("\n"), /canary/);
});

// ASVS 6.3.2 (no default account)
test("admin create makes an account and prints its password once, alone on the last line", async (t) => {
  const { env } = makePlace(t);
  const made = await tollgate(env, "admin", "create", "ada@example.com");
  assert.equal(made.exitCode, 0);
  assert.deepEqual(made.err, []);
  assert.match(made.out.at(-1) ?? "", /^[\w-]{20,}$/);
  const again = await tollgate(env, "admin", "create", "ada@example.com");
  assert.equal(again.exitCode, 0);
  assert.deepEqual(again.out, ["ada@example.com is an administrator already: nothing was changed."]);
  const json = await tollgate(env, "admin", "create", "bob@example.com", "--json");
  const answer = JSON.parse(json.out.join("\n"));
  assert.deepEqual(Object.keys(answer), ["email", "outcome", "password"]);
  assert.equal(answer.outcome, "created");
});

test("admin create refuses what is no address, with a sentence", async (t) => {
  const { env } = makePlace(t);
  const { exitCode, out, err } = await tollgate(env, "admin", "create", "nonsense");
  assert.equal(exitCode, 1);
  assert.deepEqual(out, []);
  assert.equal(err.length, 1);
  assert.doesNotMatch(err[0] ?? "", /\n|bug/);
});

test("a command cannot reach a database in memory, and says so", async () => {
  const env = { DATABASE_URL: "sqlite::memory:" };
  for (const command of [
    ["admin", "create", "a@example.com"],
    ["keys", "list"],
    ["why", "x"],
  ]) {
    const { exitCode, err } = await tollgate(env, ...command);
    assert.equal(exitCode, 1);
    assert.match(err.join("\n"), /memory/);
  }
});

test("keys list, why and doctor make no database", async (t) => {
  const { env, directory } = makePlace(t);
  const keys = await tollgate(env, "keys", "list");
  assert.equal(keys.exitCode, 1);
  assert.match(keys.err.join("\n"), /^There is no database .*tollgate\.db: start the server once/);
  const why = await tollgate(env, "why", "some-id");
  assert.equal(why.exitCode, 1);
  assert.match(why.err.join("\n"), /^No server runs on /);
  assert.equal((await tollgate(env, "doctor")).exitCode, 0);
  assert.deepEqual(readdirSync(directory), []);
});

test("keys rotate publishes the next key, and keys list tells who signs, who is seen and who may go", async (t) => {
  const { env, directory } = makePlace(t);
  const path = join(directory, "tollgate.db");
  await tollgate(env, "admin", "create", "ada@example.com");
  const list = async () =>
    JSON.parse((await tollgate(env, "keys", "list", "--json")).out.join("\n")).keys as Record<string, unknown>[];
  assert.equal((await tollgate(env, "keys", "rotate")).exitCode, 0);
  const pending = await tollgate(env, "keys", "rotate");
  assert.equal(pending.exitCode, 1);
  assert.match(pending.err.join("\n"), /on its way already/);
  change(path, "update signing_keys set signs_at = 1000");
  const rotated = await tollgate(env, "keys", "rotate");
  assert.match(
    rotated.out.join("\n"),
    /^The key \S+ is published and signs from \d{4}-.*\nThe former key is honoured until/,
  );

  const [first, second, ...others] = await list();
  assert.deepEqual([first?.["state"], second?.["state"], others], ["signing", "published", []]);
  const unseen = { tokens_seen_last_hour: 0, tokens_seen_last_day: 0, last_seen_at: null, safe_to_retire_since: null };
  assert.deepEqual({ ...first, ...unseen }, first);
  assert.deepEqual(Object.keys(first ?? {}), [
    "id",
    "algorithm",
    "state",
    "created_at",
    "signs_at",
    ...Object.keys(unseen),
  ]);

  const now = Date.now();
  const hour = Math.floor(now / 3_600_000);
  change(path, "update signing_keys set signs_at = 2000, created_at = created_at + 1 where retires_at is null");
  change(path, "update signing_keys set retires_at = 3000 where retires_at is not null");
  for (const [ago, seen] of [
    [0, 5],
    [20, 7],
    [40, 11],
  ] as const) {
    const at = now - ago * 3_600_000;
    change(
      path,
      `insert into key_usage select id, ${hour - ago}, ${seen}, ${at} from signing_keys where signs_at = 1000`,
    );
  }
  const [former, signing] = await list();
  assert.equal(signing?.["state"], "signing");
  const seen = [former?.["state"], former?.["tokens_seen_last_hour"], former?.["tokens_seen_last_day"]];
  assert.deepEqual(seen, ["retired", 5, 12]);
  assert.equal(former?.["last_seen_at"], new Date(now).toISOString());
  assert.equal(former["safe_to_retire_since"], "1970-01-01T00:00:03.000Z");
  const { out } = await tollgate(env, "keys", "list");
  assert.match(out[1] ?? "", /ES256 +retired .* 5 +12 +\d{4}-\S+ +since 1970-01-01T00:00:03\.000Z$/);
  assert.match(out[2] ?? "", /ES256 +signing .* 0 +0 +never +no$/);
});

test("keys rotate under another secret is refused, for no server could open the key", async (t) => {
  const { env } = makePlace(t);
  await tollgate(env, "admin", "create", "ada@example.com");
  await tollgate(env, "keys", "rotate");
  const before = (await tollgate(env, "keys", "list", "--json")).out;
  const other = { ...env, SECRET_KEY: "another secret of 32 bytes or more" };
  const refused = await tollgate(other, "keys", "rotate");
  assert.equal(refused.exitCode, 1);
  assert.match(refused.err.join("\n"), /^SECRET_KEY is not the one that this database's signing keys/);
  assert.deepEqual((await tollgate(env, "keys", "list", "--json")).out, before);
});

test("doctor has a line for each part, and all is well after a start", async (t) => {
  // Nobody listens on this port: what may run on 8000 is not ours to ask.
  const env = { ...makePlace(t).env, PORT: "1" };
  await tollgate(env, "admin", "create", "ada@example.com");
  const text = await tollgate(env, "doctor");
  assert.equal(text.exitCode, 0, text.out.join("\n"));
  const { checks } = JSON.parse((await tollgate(env, "doctor", "--json")).out.join("\n"));
  const states = checks.map(({ name, state }: { name: string; state: string }) => `${name} ${state}`);
  const names = ["settings", "data directory", "database", "redis", "keys", "clock", "proxy", "hashing"];
  assert.deepEqual(
    states,
    names.map((name) => `${name} ok`),
  );
});

async function failuresOf(env: Environment): Promise<{ name: string; found: string }[]> {
  const { exitCode, out, err } = await tollgate(env, "doctor", "--json");
  const { checks } = JSON.parse(out.join("\n"));
  assert.equal(exitCode, 1);
  assert.match(err.join("\n"), /^Not everything is well: /);
  return checks.filter(({ state }: { state: string }) => state === "failed");
}

test("doctor finds a damaged file, a newer database, a clock that went back, bad settings", async (t) => {
  const { env, directory } = makePlace(t);
  const path = join(directory, "tollgate.db");
  writeFileSync(path, "this is no database ".repeat(100));
  assert.deepEqual(
    (await failuresOf(env)).map(({ name }) => name),
    ["database"],
  );
  rmSync(path);
  await tollgate(env, "admin", "create", "ada@example.com");
  change(path, "update events set at = at + 36000000");
  const [clock, ...others] = await failuresOf(env);
  assert.deepEqual(others, []);
  assert.match(clock?.found ?? "", /^The clock is (599|600) minutes behind/);
  change(path, "update events set at = at - 36000000");
  change(path, "insert into migrations (name, applied_at) values ('9999-future', 0)");
  assert.match((await failuresOf(env))[0]?.found ?? "", /newer version, which ran 9999-future/);
  assert.deepEqual(
    (await failuresOf({ PORT: "x", HOST: "-" })).map(({ name }) => name),
    ["settings", "settings"],
  );
});

test("doctor finds keys that do not open and a secret that others can read, and makes no secret", async (t) => {
  const { env, directory } = makePlace(t);
  await tollgate(env, "admin", "create", "ada@example.com");
  insertForeignKey(join(directory, "tollgate.db"));
  assert.match((await failuresOf(env))[0]?.found ?? "", /SECRET_KEY is not the one/);
  rmSync(join(directory, "secret.key"));
  assert.match((await failuresOf(env))[0]?.found ?? "", /The secret is gone/);
  assert.equal(existsSync(join(directory, "secret.key")), false);
  writeFileSync(join(directory, "secret.key"), "x".repeat(32), { mode: 0o644 });
  assert.match((await failuresOf(env))[0]?.found ?? "", /Others can read the secret/);
});

function change(path: string, statement: string): void {
  const database = new DatabaseSync(path);
  database.exec(statement);
  database.close();
}

function insertForeignKey(path: string): void {
  change(path, "insert into signing_keys values ('kid', 'ES256', '{}', zeroblob(64), 0, 0, null)");
}

test("doctor tells how Redis is, in one line with the cure", { skip: withoutRedis() }, async (t) => {
  const { env } = makePlace(t);
  const redis = await startRedis(t);
  const client = new Client(redis.url);
  t.after(() => client.disconnect());
  const lineFor = async (url: string): Promise<string> => {
    const { out } = await tollgate({ ...env, REDIS_URL: url }, "doctor");
    return out.find((line) => /^\S+ +redis /.test(line)) ?? "";
  };
  const address = redis.url.replace("redis://", "");
  assert.match(await lineFor(redis.url), /^ok +redis +127\.0\.0\.1:\d+ is Redis \d\S+, \d+\.\d ms from here\.$/);
  await client.config("SET", "maxmemory", "100mb", "maxmemory-policy", "volatile-lru");
  assert.match(
    await lineFor(redis.url),
    /^warning .* throws keys out \(volatile-lru\).* maxmemory-policy to noeviction\.$/,
  );
  await client.config("SET", "maxmemory", "1mb", "maxmemory-policy", "noeviction");
  assert.match(await lineFor(redis.url), /^failed .* is away \(OOM\)\. It is full: give it more memory/);
  await client.config("SET", "maxmemory", "0", "requirepass", "canary");
  assert.match(await lineFor(redis.url), /^failed .* is away \(NOAUTH\)\. It wants a password/);
  assert.match(await lineFor(`redis://:canaries@${address}`), /^failed .* is away \(WRONGPASS\)\. Correct the user/);
  assert.match(await lineFor(`redis://:canary@${address}`), /^ok /);
  assert.match(await lineFor(`redis://:canary@${address},${address}`), /\(ERR\)\. These are no nodes of a Cluster/);
  const [lone, nobody] = [await startRedis(t, ["--cluster-enabled", "yes"]), await freePort()];
  assert.match(
    await lineFor(lone.url),
    /^failed .* is a node of a Cluster, and REDIS_URL names it alone\. Name several/,
  );
  assert.match(await lineFor(`redis://127.0.0.1:${nobody}`), /^failed .* is away \(ECONNREFUSED\)\. Start Redis/);
  assert.deepEqual(await client.keys("*limit*"), [], "nothing is counted");
});
