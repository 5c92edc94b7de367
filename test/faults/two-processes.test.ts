import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { startServer } from "../support/server-process.ts";
import { sharedDatabase } from "../support/test-database.ts";

/** ROUNDS=200 is the whole proof; a few run each time. */
const rounds = Number(process.env["ROUNDS"] ?? 4);
const alice = { email: "alice@example.com", password: "password" };

type Reply = { readonly status: number; readonly body: Record<string, string> };
type Ask = (
  server: number,
  path: string,
  options?: {
    readonly method?: string;
    readonly body?: object;
    readonly token?: string | undefined;
    readonly key?: string;
  },
) => Promise<Reply>;

/** Two servers on one database, which know nothing of each other. */
async function startTwo(t: TestContext): Promise<Ask> {
  const env = {
    DATABASE_URL: await sharedDatabase(t),
    SECRET_KEY: "0123456789abcdef0123456789abcdef",
    PUBLIC_URL: "http://localhost:8000",
    HASH_QUEUE: "500",
    HASH_DEADLINE: "60s",
    REFRESH_OVERLAP: "60s",
    ...Object.fromEntries(["SIGN_UP", "LOGIN_ADDRESS", "REFRESH", "API"].map((name) => [`LIMIT_${name}`, "off"])),
  };
  const urls = [(await startServer(t, { env })).url, (await startServer(t, { env })).url];
  return async (server, path, { method = "POST", body, token, key } = {}) => {
    const response = await fetch(`${urls[server % 2]}${path}`, {
      method,
      headers: {
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(key === undefined ? {} : { "idempotency-key": key }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, body: text === "" ? {} : (JSON.parse(text) as Record<string, string>) };
  };
}

const read = { method: "GET" } as const;

test(`fifty uses of one refresh token at each of two servers: one successor (${rounds} rounds)`, async (t) => {
  // CVE-2026-1035 (requirement 49), V2, X18, I2
  const ask = await startTwo(t);
  let { refresh_token: token = "" } = (await ask(0, "/users/", { body: alice })).body;
  for (let round = 0; round < rounds; round += 1) {
    const uses = Array.from({ length: 100 }, (_, index) =>
      ask(index, "/auth/refresh", { body: { refresh_token: token }, key: `${round}-${index % 3}` }),
    );
    const answers = await Promise.all(uses);
    assert.deepEqual([...new Set(answers.map(({ status }) => status))], [200]);
    const successors = new Set(answers.map(({ body }) => body["refresh_token"]));
    assert.equal(successors.size, 1);
    token = [...successors][0] ?? "";
  }
  const last = await ask(1, "/auth/refresh", { body: { refresh_token: token } });
  assert.equal(last.body["refresh_count"], rounds + 1, "one use each, whatever was asked");
});

test("what one server ended, the other refuses from then on", async (t) => {
  // ASVS 7.4.1, 8.3.2 (requirement 47), I3: nothing succeeds that began after the end was acknowledged.
  const ask = await startTwo(t);
  await ask(0, "/users/", { body: alice });
  for (let round = 0; round < rounds; round += 1) {
    const { token, refresh_token: refreshToken } = (await ask(round, "/auth/login", { body: alice })).body;
    assert.equal((await ask(round + 1, "/users/me", { ...read, token })).status, 200, "known there, and remembered");
    const meanwhile = Array.from({ length: 20 }, () => ask(round + 1, "/users/me", { ...read, token }));
    assert.equal((await ask(round, "/auth/logout", { token })).status, 204);
    const later = Array.from({ length: 20 }, () => ask(round + 1, "/users/me", { ...read, token }));
    for (const { status, body } of await Promise.all(later)) {
      assert.deepEqual([status, body["code"]], [401, "session-ended"]);
    }
    const refreshed = await ask(round + 1, "/auth/refresh", { body: { refresh_token: refreshToken } });
    assert.equal(refreshed.body["reason"], "revoked");
    await Promise.all(meanwhile);
  }
});

test("fifty sign-ups of one address at each of two servers: one account; with one key, one answer", async (t) => {
  // X19, I1, requirement 74
  const ask = await startTwo(t);
  const sent = Array.from({ length: 100 }, (_, index) => {
    const email = index % 4 < 2 ? "race@example.com" : "Race@Example.com";
    return ask(index, "/users/", { body: { ...alice, email } });
  });
  const counts = Object.groupBy(await Promise.all(sent), ({ status }) => status);
  assert.deepEqual([counts[201]?.length, counts[409]?.length], [1, 99]);

  const keyed = Array.from({ length: 20 }, (_, index) => ask(index, "/users/", { body: alice, key: "one" }));
  const answers = (await Promise.all(keyed)).map(({ status, body }) => body["token"] ?? `${status} ${body["code"]}`);
  const told = new Set(answers.filter((answer) => answer !== "409 request-in-progress"));
  assert.equal(told.size, 1, [...told].join("\n"));
  assert.match([...told][0] ?? "", /^ey/);
});
