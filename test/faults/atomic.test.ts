import assert from "node:assert/strict";
import { copyFileSync, existsSync, mkdirSync } from "node:fs";
import { DatabaseSync, StatementSync } from "node:sqlite";
import { test, type TestContext } from "node:test";
import { temporaryDirectory } from "../support/server-process.ts";
import { type Answer, createTestServer, type TestServer } from "../support/test-server.ts";

// ASVS 2.3.3 (requirement 84): each operation happens as a whole or not at all, wherever the process is killed.

const tables = ["accounts", "sessions", "events", "idempotent_answers"] as const;

/** All that a database file holds, as kill -9 would leave it: what was written is there, what was not is lost. */
function contentsOf(path: string): string {
  const database = new DatabaseSync(path);
  try {
    assert.equal(database.prepare("pragma integrity_check").get()?.["integrity_check"], "ok");
    return JSON.stringify(
      tables.map((table) => database.prepare(`select * from ${table} order by 1`).all()),
      (_key, value: unknown) => (value instanceof Uint8Array ? Buffer.from(value).toString("hex") : value),
    );
  } finally {
    database.close();
  }
}

function copyDatabase(from: string, to: string): string {
  for (const end of ["", "-wal"]) if (existsSync(from + end)) copyFileSync(from + end, to + end);
  return to;
}

/** Does the work, and copies the files before each of its statements: what a kill at that moment leaves. */
async function killedAtEach(t: TestContext, path: string, work: () => Promise<Answer>): Promise<readonly string[]> {
  const directory = `${temporaryDirectory(t)}/killed`;
  mkdirSync(directory);
  const copies: string[] = [];
  const copy = (): void => void copies.push(copyDatabase(path, `${directory}/${copies.length}.db`));
  const mocks = (["run", "all"] as const).map((name) => {
    const original = StatementSync.prototype[name];
    return t.mock.method(StatementSync.prototype, name, function (this: StatementSync, ...values: never[]) {
      copy();
      return Reflect.apply(original, this, values) as never;
    });
  });
  const answer = await work();
  assert.ok(answer.status < 300, answer.text);
  for (const { mock } of mocks) mock.restore();
  copy();
  return copies.map(contentsOf);
}

type Scene = { readonly server: TestServer; readonly token: string; readonly refresh: string; readonly admin: string };

const alice = { email: "alice@example.com", password: "password" };
const bob = { body: { ...alice, email: "bob@example.com" }, headers: { "idempotency-key": "one" } };

const operations: Readonly<Record<string, (scene: Scene) => Promise<Answer>>> = {
  "sign-up": ({ server }) => server.request("POST", "/users/", bob),
  "sign-in": ({ server }) => server.request("POST", "/auth/login", { body: alice }),
  refresh: ({ server, refresh }) => server.request("POST", "/auth/refresh", { body: { refresh_token: refresh } }),
  "re-authentication": ({ server, token }) =>
    server.request("POST", "/auth/reauthenticate", { token, body: { password: alice.password } }),
  "sign-out": ({ server, token }) => server.request("POST", "/auth/logout", { token }),
  "sign-out everywhere else": ({ server, token }) => server.request("DELETE", "/users/me/sessions", { token }),
  "another password": ({ server, token }) =>
    server.request("PUT", "/users/me/password", {
      token,
      body: { current_password: alice.password, new_password: "another one" },
    }),
  disabling: ({ server, admin }) =>
    server.request("PATCH", "/admin/users/2", { token: admin, body: { role: "admin", disabled: true } }),
  "requiring another password": ({ server, admin }) =>
    server.request("PATCH", "/admin/users/2", { token: admin, body: { password_change_required: true } }),
  "another password at sign-in": async ({ server, admin }) => {
    await operations["requiring another password"]?.({ server, admin, token: "", refresh: "" });
    return server.request("POST", "/auth/login", { body: { ...alice, new_password: "another one" } });
  },
  deletion: ({ server, token }) => server.request("DELETE", "/users/2", { token }),
};

for (const [name, operation] of Object.entries(operations)) {
  test(`${name}, killed before any of its statements, happened as a whole or not at all`, async (t) => {
    const path = `${temporaryDirectory(t)}/tollgate.db`;
    const env = { DATABASE_URL: `sqlite:${path}`, SECRET_KEY: "0123456789abcdef0123456789abcdef" };
    const server = await createTestServer(env);
    const admin = (await server.administrator()).token;
    await server.signUp(alice.email, alice.password);
    const { body } = await server.request("POST", "/auth/login", { body: alice });
    const scene = { server, admin, token: String(body["token"]), refresh: String(body["refresh_token"]) };

    const found = await killedAtEach(t, path, () => operation(scene));
    const states = [...new Set(found)];
    const steps = name === "another password at sign-in" ? 3 : 2;
    assert.equal(states.length, steps, "before and after, and nothing between");
    assert.ok(found.length >= 4, `${found.length} statements`);
    assert.deepEqual(
      found.map((state) => states.indexOf(state)),
      found.map((state) => states.indexOf(state)).toSorted((a, b) => a - b),
      "and no way back",
    );
  });
}

test("a sign-up killed before any of its statements is asked for again: one account, one answer", async (t) => {
  // X1, requirement 74
  const directory = temporaryDirectory(t);
  const path = `${directory}/tollgate.db`;
  const env = { DATABASE_URL: `sqlite:${path}`, SECRET_KEY: "0123456789abcdef0123456789abcdef" };
  const server = await createTestServer(env);
  const copies: string[] = [];
  const original = StatementSync.prototype.run;
  const mock = t.mock.method(StatementSync.prototype, "run", function (this: StatementSync, ...values: never[]) {
    copies.push(copyDatabase(path, `${directory}/${copies.length}.db`));
    return Reflect.apply(original, this, values) as never;
  });
  const answer = await server.request("POST", "/users/", bob);
  assert.equal(answer.status, 201);
  mock.mock.restore();
  copies.push(copyDatabase(path, `${directory}/answered.db`));
  const texts = [];
  for (const copy of copies) {
    const again = await createTestServer({ ...env, DATABASE_URL: `sqlite:${copy}` }, { clock: server.clock });
    const repeated = await again.request("POST", "/users/", bob);
    assert.equal(repeated.status, 201, repeated.text);
    texts.push(repeated.text);
    assert.equal((await again.request("POST", "/users/", bob)).text, repeated.text);
    assert.equal((await again.platform.db.selectFrom("accounts").select("id").execute()).length, 1);
    await again.close();
  }
  assert.equal(texts.at(-1), answer.text, "committed, so it is the very answer");
});
