import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import type { Kysely } from "kysely";
import type { Tables } from "../../src/platform/database/tables.ts";
import { type ServerProcess, startServer } from "../support/server-process.ts";
import { startRelay, type TestRelay } from "../support/smtp-relay.ts";
import { openUrl, sharedDatabase } from "../support/test-database.ts";

const accountCount = 12;
/** As many mails as a process hands over at once. */
const atOnce = 5;
const claimSeconds = 120;

test("kill -9 with a full outbox: no mail is lost, none comes more than twice, and no event without its mail", async (t) => {
  // X12, X28
  const relay = await startRelay();
  t.after(() => relay.close());
  const env = {
    DATABASE_URL: await sharedDatabase(t),
    SECRET_KEY: "0123456789abcdef0123456789abcdef",
    SMTP_URL: `smtp://127.0.0.1:${relay.port}`,
    MAIL_FROM: "accounts@example.com",
    LIMIT_SIGN_UP: "off",
    LIMIT_API: "off",
    LIMIT_LOGIN_ACCOUNT: "off",
  };
  relay.behave("hang-after-data");
  const first = await startServer(t, { env });
  const tokens = await Promise.all(Array.from({ length: accountCount }, (_, index) => signUp(first, index)));
  await until(() => relay.taken.length === atOnce);
  const acknowledged = await changePasswordsUntilKilled(first, tokens);

  await using db = await openUrl(env.DATABASE_URL);
  const queued = await mailsOf(db);
  const changes = await db.selectFrom("events").select("account_id").where("type", "=", "password/changed").execute();
  const told = queued.filter(({ kind }) => kind === "password-changed");
  assert.ok(changes.length >= acknowledged, "each change that was answered has its entry in the audit log");
  assert.deepEqual(countBy(changes), countBy(told), "and each entry its mail");
  assert.equal(relay.taken.length, atOnce);
  assert.equal(queued.filter(({ state }) => state === "delivered").length, 0);

  relay.behave("good");
  // The claims of the dead are over. (With the clocks of two processes turned, one after the other, the first would take
  // what the second has in hand.)
  await db
    .updateTable("mails")
    .set(({ eb }) => ({ due_at: eb("due_at", "-", (claimSeconds + 5) * 1000) }))
    .where("state", "=", "sending")
    .execute();
  await Promise.all([startServer(t, { env }), startServer(t, { env })]);
  await until(async () => (await mailsOf(db)).every(({ due_at: dueAt }) => dueAt === null));

  const inHand = new Set(relay.taken.slice(0, atOnce).map(messageId));
  assert.equal(inHand.size, atOnce);
  const came = new Map([...Map.groupBy(relay.taken, messageId)].map(([id, mails]) => [id, mails.length]));
  assert.deepEqual(came, new Map([...came.keys()].map((id) => [id, inHand.has(id) ? 2 : 1])));
  const sent = (await mailsOf(db)).filter(({ state }) => state === "delivered");
  assert.deepEqual([...came.keys()].toSorted(), sent.map(({ id }) => id).toSorted());
  assert.equal(sent.length, queued.filter(({ state }) => state !== "withheld").length);
});

function post(server: ServerProcess, path: string, body: object): Promise<Response> {
  const headers = { "content-type": "application/json" };
  return fetch(server.url + path, { method: "POST", headers, body: JSON.stringify(body) });
}

async function signUp(server: ServerProcess, index: number): Promise<string> {
  const response = await post(server, "/users/", { email: `user${index}@example.com`, password: "password 0" });
  assert.equal(response.status, 201);
  return ((await response.json()) as { token: string }).token;
}

/** Everybody changes their password again and again, until the process is killed in the midst of it. */
async function changePasswordsUntilKilled(server: ServerProcess, tokens: readonly string[]): Promise<number> {
  const ended = once(server.process, "close");
  const { promise: enough, resolve } = Promise.withResolvers<void>();
  let acknowledged = 0;
  const lanes = tokens.map(async (token) => {
    for (let change = 0; ; change += 1) {
      const body = JSON.stringify({ current_password: `password ${change}`, new_password: `password ${change + 1}` });
      const headers = { "content-type": "application/json", authorization: `Bearer ${token}` };
      const response = await fetch(`${server.url}/users/me/password`, { method: "PUT", headers, body }).catch(
        () => undefined,
      );
      if (response === undefined) return;
      assert.ok(response.ok, `${response.status}`);
      acknowledged += 1;
      if (acknowledged === tokens.length) resolve();
    }
  });
  // A change that is refused is told at once: with the others going on, or waiting, it would be told never.
  await Promise.race([enough, Promise.all(lanes)]);
  assert.ok(acknowledged >= tokens.length, "the server is there until it is killed");
  server.process.kill("SIGKILL");
  await Promise.all([ended, ...lanes]);
  return acknowledged;
}

async function mailsOf(db: Kysely<Tables>) {
  return db.selectFrom("mails").select(["id", "kind", "state", "account_id", "due_at"]).execute();
}

function countBy(rows: readonly { readonly account_id: number | null }[]): Readonly<Record<string, number>> {
  const groups = Object.entries(Object.groupBy(rows, ({ account_id: id }) => String(id)));
  return Object.fromEntries(groups.map(([id, some = []]) => [id, some.length]));
}

function messageId({ raw }: TestRelay["taken"][number]): string {
  return /^Message-ID: <([^@]+)@/im.exec(raw)?.[1] ?? "";
}

async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  for (const deadline = AbortSignal.timeout(60_000); !(await isSo()); deadline.throwIfAborted()) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
