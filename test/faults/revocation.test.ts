import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { test, type TestContext } from "node:test";
import { sql } from "kysely";
import { temporaryDirectory } from "../support/server-process.ts";
import { type Answer, createTestServer, type TestServer } from "../support/test-server.ts";

// V30 (CVE-2020-15223): a revocation that could not be written was answered 200.

type Session = { readonly token: string; readonly refresh: string; readonly cookie: string };

async function signIn(server: TestServer): Promise<Session> {
  const body = { email: "alice@example.com", password: "password", delivery: "cookie" };
  const answer = await server.request("POST", "/auth/login", { body });
  const [cookie = ""] = [answer.headers["set-cookie"] ?? []].flat().map((line) => line.split(";")[0] ?? "");
  return { token: String(answer.body["token"]), refresh: cookie.split("=")[1] ?? "", cookie };
}

/** Whatever ends somebody's session: who asks, how, and what must be over then. */
type Revocation = {
  readonly name: string;
  readonly ask: (mine: Session, other: Session, admin: string, otherId: string) => Parameters<TestServer["request"]>;
  readonly status: number;
  readonly ends: "mine" | "other" | "both";
};

const newPassword = { current_password: "password", new_password: "another one" };
const revocations: readonly Revocation[] = [
  {
    name: "sign-out",
    ask: ({ token, cookie }) => ["POST", "/auth/logout", { token, headers: { cookie } }],
    status: 204,
    ends: "mine",
  },
  {
    name: "ending one session",
    ask: ({ token }, _other, _admin, id) => ["DELETE", `/users/me/sessions/${id}`, { token }],
    status: 204,
    ends: "other",
  },
  {
    name: "ending all others",
    ask: ({ token }) => ["DELETE", "/users/me/sessions", { token }],
    status: 204,
    ends: "other",
  },
  {
    name: "another password",
    ask: ({ token }) => ["PUT", "/users/me/password", { token, body: newPassword }],
    status: 204,
    ends: "other",
  },
  {
    name: "a theft that is found",
    ask: ({ refresh }) => ["POST", "/auth/refresh", { body: { refresh_token: refresh } }],
    status: 401,
    ends: "mine",
  },
  {
    name: "disabling",
    ask: (_mine, _other, token) => ["PATCH", "/admin/users/2", { token, body: { disabled: true } }],
    status: 200,
    ends: "both",
  },
  {
    name: "requiring another password",
    ask: (_mine, _other, token) => ["PATCH", "/admin/users/2", { token, body: { password_change_required: true } }],
    status: 200,
    ends: "both",
  },
  {
    name: "deleting",
    ask: ({ token }) => ["DELETE", "/users/2", { token }],
    status: 204,
    ends: "both",
  },
];

/** Reads go on, as with WAL they do, and nothing can be written: another process holds the lock, or the disk is full. */
async function keepFromWriting(server: TestServer, path: string): Promise<() => void> {
  await sql`pragma busy_timeout = 20`.execute(server.platform.db);
  const other = new DatabaseSync(path);
  other.exec("begin immediate");
  return () => {
    other.exec("rollback");
    other.close();
  };
}

async function isAlive(server: TestServer, { token }: Session): Promise<boolean> {
  const { status, body } = await server.request("GET", "/users/me", { token });
  if (status !== 200) assert.equal(body["code"], "session-ended");
  return status === 200;
}

function assertAway({ status, body, headers }: Answer, name: string): void {
  assert.deepEqual([status, body["code"], body["gate"]], [503, "database-unavailable", "depend"], name);
  assert.match(headers["retry-after"] ?? "", /^[1-9]\d*$/, name);
  assert.equal(headers["set-cookie"], undefined, `${name}: the cookie stays, for so does the session`);
}

async function playRevocation(t: TestContext, { name, ask, status, ends }: Revocation): Promise<void> {
  const path = `${temporaryDirectory(t)}/tollgate.db`;
  const server = await createTestServer({ DATABASE_URL: `sqlite:${path}` });
  const admin = await server.administrator();
  const { id } = await server.signUp("alice@example.com", "password");
  assert.equal(id, 2);
  await server.request("DELETE", "/users/me/sessions", { token: (await signIn(server)).token });
  const other = await signIn(server);
  const mine = await signIn(server);
  const { body } = await server.request("GET", "/users/me/sessions", { token: other.token });
  const otherId = (body["items"] as { id: string; current: boolean }[]).find(({ current }) => current)?.id ?? "";
  // So that its token is a used one, for the theft.
  await server.request("POST", "/auth/refresh", {
    body: { refresh_token: mine.refresh },
    headers: { "idempotency-key": "1" },
  });
  server.clock.advance(10_001);

  const writeAgain = await keepFromWriting(server, path);
  const before = await server.events();
  assertAway(await server.request(...ask(mine, other, admin.token, otherId)), name);
  for (const one of [mine, other]) assert.equal(await isAlive(server, one), true, `${name}: nothing was pretended`);
  assert.deepEqual(await server.events(), before, name);

  writeAgain();
  const again = await server.request(...ask(mine, other, admin.token, otherId));
  assert.equal(again.status, status, `${name}: ${again.text}`);
  assert.equal(await isAlive(server, mine), ends === "other", name);
  assert.equal(await isAlive(server, other), ends === "mine", name);
  if (name === "sign-out") assert.match(String(again.headers["set-cookie"]), /_refresh=; Max-Age=0/);
}

for (const revocation of revocations) {
  test(`${revocation.name}, while nothing can be written: 503, and later it works`, async (t) => {
    await playRevocation(t, revocation);
  });
}

test("with the database gone altogether nobody is told that a session has ended", async () => {
  const server = await createTestServer();
  const admin = await server.administrator();
  await server.signUp("alice@example.com", "password");
  const [mine, other] = [await signIn(server), await signIn(server)];
  await server.platform.db.destroy();
  for (const { name, ask } of revocations) {
    assertAway(await server.request(...ask(mine, other, admin.token, "some-session")), name);
  }
});
