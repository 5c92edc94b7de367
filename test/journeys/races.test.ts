/**
 * What many do at once, through two servers on one database: as if they came one after the other.
 * RACE_ROUNDS=200 is the whole proof; a few rounds run each time. CVE-2026-1035 (V2), requirements 22, 47–49.
 */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { startServer, type ServerProcess } from "../support/server-process.ts";
import { openUrl, sharedDatabase } from "../support/test-database.ts";

const rounds = Number(process.env["RACE_ROUNDS"] ?? 2);
const password = "password";
const limits = ["LIMITED", "SIGN_UP", "LOGIN_ADDRESS", "LOGIN_ACCOUNT", "REFRESH", "API"];
const env = {
  SECRET_KEY: "0123456789abcdef0123456789abcdef",
  PUBLIC_URL: "http://localhost:8000",
  HASH_QUEUE: "1000",
  HASH_DEADLINE: "60s",
  DATABASE_WAIT: "30s",
  DATABASE_TIMEOUT: "60s",
  ...Object.fromEntries(limits.map((name) => [`LIMIT_${name}`, "off"])),
};

type Answer = { readonly status: number; readonly text: string; readonly body: Record<string, unknown> };
type Sending = { readonly token?: string; readonly key?: string; readonly body?: unknown };

type Pair = {
  /** Each request goes to the other one of the two. */
  readonly send: (method: string, path: string, sending?: Sending) => Promise<Answer>;
  readonly signUp: (
    email: string,
  ) => Promise<{ readonly id: number; readonly token: string; readonly refresh: string }>;
  readonly databaseUrl: string;
};

async function startPair(): Promise<Pair> {
  const databaseUrl = await sharedDatabase({ after });
  const settings = { ...env, DATABASE_URL: databaseUrl };
  const servers: readonly ServerProcess[] = [
    await startServer({ after }, { env: settings }),
    await startServer({ after }, { env: settings }),
  ];
  let sent = 0;
  const send: Pair["send"] = async (method, path, { token, key, body } = {}) => {
    sent += 1;
    const response = await fetch(`${servers[sent % 2]?.url}${path}`, {
      method,
      headers: {
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(key === undefined ? {} : { "idempotency-key": key }),
        ...(body === undefined ? {} : { "content-type": "application/json" }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    assert.ok(response.status < 500, `${method} ${path}: ${response.status} ${text}`);
    return { status: response.status, text, body: text === "" ? {} : (JSON.parse(text) as Record<string, unknown>) };
  };
  return {
    send,
    databaseUrl,
    signUp: async (email) => {
      const { status, body, text } = await send("POST", "/users/", { body: { email, password } });
      assert.equal(status, 201, text);
      const token = String(body["token"]);
      const me = await send("GET", "/users/me", { token });
      return { id: Number(me.body["id"]), token, refresh: String(body["refresh_token"]) };
    },
  };
}

function hundred<T>(work: (index: number) => Promise<T>): Promise<T[]> {
  return Promise.all(Array.from({ length: 100 }, (_, index) => work(index)));
}

function countsOf(answers: readonly Answer[]): Record<string, number> {
  const names = answers.map(({ status, body }) =>
    `${status} ${typeof body["code"] === "string" ? body["code"] : ""}`.trim(),
  );
  return Object.fromEntries(Object.entries(Object.groupBy(names, (name) => name)).map(([k, v]) => [k, v?.length ?? 0]));
}

const pair = await startPair();

test("a hundred uses of one refresh token are one rotation, and all get its successor", async () => {
  // X18
  for (let round = 0; round < rounds; round += 1) {
    const { token, refresh } = await pair.signUp(`refresh-${round}@example.com`);
    const answers = await hundred(() => pair.send("POST", "/auth/refresh", { body: { refresh_token: refresh } }));
    assert.deepEqual(countsOf(answers), { "200": 100 });
    assert.equal(new Set(answers.map(({ body }) => body["refresh_token"])).size, 1);
    await using db = await openUrl(pair.databaseUrl);
    const sessionId = String(answers[0]?.body["session_id"]);
    const session = await db
      .selectFrom("sessions")
      .select(["refresh_generation", "ended_at"])
      .where("id", "=", sessionId)
      .executeTakeFirstOrThrow();
    assert.deepEqual({ ...session }, { refresh_generation: 2, ended_at: null });
    const events = await db
      .selectFrom("events")
      .select("payload")
      .where("type", "=", "session/refreshed")
      .where("payload", "like", `%${sessionId}%`)
      .execute();
    assert.equal(events.length, 100);
    assert.equal(events.filter(({ payload }) => payload.includes('"rotated"')).length, 1);
    assert.equal((await pair.send("GET", "/users/me", { token })).status, 200);
  }
});

test("a hundred sign-ups of one address, typed in two ways, make one account", async () => {
  // X19, I1
  for (let round = 0; round < rounds; round += 1) {
    const typed = [`One-${round}@example.com`, `one-${round}@EXAMPLE.com`];
    const answers = await hundred((index) =>
      pair.send("POST", "/users/", { body: { email: typed[index % 2], password } }),
    );
    assert.deepEqual(countsOf(answers), { "201": 1, "409 email-taken": 99 });
    await using db = await openUrl(pair.databaseUrl);
    const accounts = await db
      .selectFrom("accounts")
      .innerJoin("sessions", "sessions.account_id", "accounts.id")
      .select("accounts.id")
      .where("email_canonical", "=", `one-${round}@example.com`)
      .execute();
    assert.equal(accounts.length, 1, "one account with one session");
  }
});

test("a hundred requests with one Idempotency-Key are one account and one answer", async () => {
  for (let round = 0; round < rounds; round += 1) {
    const body = { email: `idempotent-${round}@example.com`, password };
    const ask = (): Promise<Answer> => pair.send("POST", "/users/", { key: `key-${round}`, body });
    const answers = await hundred(ask);
    const made = answers.filter(({ status }) => status === 201);
    assert.equal(new Set(made.map(({ text }) => text)).size, 1);
    const { "201": done = 0, "409 request-in-progress": toldToAskAgain = 0 } = countsOf(answers);
    assert.equal(done + toldToAskAgain, 100, JSON.stringify(countsOf(answers)));
    assert.equal((await ask()).text, made[0]?.text);
  }
});

test("administrators who all demote, disable or delete the next one leave one", async () => {
  for (let round = 0; round < rounds; round += 1) {
    await using db = await openUrl(pair.databaseUrl);
    await db.updateTable("accounts").set({ role: "user" }).execute();
    const admins = await Promise.all(
      Array.from({ length: 12 }, (_, index) => pair.signUp(`admin-${round}-${index}@example.com`)),
    );
    await db
      .updateTable("accounts")
      .set({ role: "admin" })
      .where(
        "id",
        "in",
        admins.map(({ id }) => id),
      )
      .execute();
    const answers = await Promise.all(
      admins.map(({ token }, index) => {
        const id = admins[(index + 1) % admins.length]?.id;
        if (index % 3 === 0) return pair.send("DELETE", `/users/${id}`, { token });
        const body = index % 3 === 1 ? { role: "user" } : { disabled: true };
        return pair.send("PATCH", `/admin/users/${id}`, { token, body });
      }),
    );
    const { rows, done } = {
      rows: await db
        .selectFrom("accounts")
        .select("id")
        .where("role", "=", "admin")
        .where("disabled", "=", 0)
        .execute(),
      done: answers.filter(({ status }) => status === 200 || status === 204).length,
    };
    assert.ok(rows.length >= 1, "somebody is left");
    assert.equal(rows.length, admins.length - done, JSON.stringify(countsOf(answers)));
  }
});

test("who signs in with the old password while it is changed is in no session afterwards", async () => {
  for (let round = 0; round < 5 * rounds; round += 1) {
    const email = `change-${round}@example.com`;
    const { token } = await pair.signUp(email);
    const next = "another password";
    const logIn = (): Promise<Answer> => pair.send("POST", "/auth/login", { body: { email, password } });
    const [change, ...logins] = await Promise.all([
      pair.send("PUT", "/users/me/password", { token, body: { current_password: password, new_password: next } }),
      ...Array.from({ length: 10 }, logIn),
    ]);
    assert.equal(change?.status, 204);
    for (const { status, body } of logins) {
      if (status === 401) continue;
      assert.equal(status, 200);
      const me = await pair.send("GET", "/users/me", { token: String(body["token"]) });
      assert.equal(me.status, 401, "it came before the change, so the change has ended it");
    }
    assert.equal((await pair.send("GET", "/users/me", { token })).status, 200);
  }
});

test("who signs in while the account is disabled or deleted is in no session afterwards", async () => {
  await using db = await openUrl(pair.databaseUrl);
  const admin = await pair.signUp("operator@example.com");
  await db.updateTable("accounts").set({ role: "admin" }).where("id", "=", admin.id).execute();
  for (let round = 0; round < 5 * rounds; round += 1) {
    const email = `gone-${round}@example.com`;
    const { id, refresh } = await pair.signUp(email);
    const end = (): Promise<Answer> =>
      round % 2 === 0
        ? pair.send("DELETE", `/users/${id}`, { token: admin.token })
        : pair.send("PATCH", `/admin/users/${id}`, { token: admin.token, body: { disabled: true } });
    const [ended, ...others] = await Promise.all([
      end(),
      ...Array.from({ length: 5 }, () => pair.send("POST", "/auth/login", { body: { email, password } })),
      ...Array.from({ length: 5 }, () => pair.send("POST", "/auth/refresh", { body: { refresh_token: refresh } })),
    ]);
    assert.ok(ended?.status === 204 || ended?.status === 200, ended?.text);
    for (const { status, body } of others) {
      if (status !== 200) continue;
      const me = await pair.send("GET", "/users/me", { token: String(body["token"]) });
      assert.equal(me.status, 401);
    }
    const living = db.selectFrom("sessions").select("id").where("account_id", "=", id).where("ended_at", "is", null);
    assert.deepEqual(await living.execute(), []);
  }
});
