import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { sql } from "kysely";
import { purgeSessions } from "../../src/features/sessions/sessions.ts";
import { type Answer, createTestServer, type TestServer } from "../support/test-server.ts";

type Tokens = { readonly access: string; readonly refresh: string };

function tokensOf({ status, body, text }: Answer): Tokens {
  assert.ok(status === 200 || status === 201, text);
  return { access: String(body["token"]), refresh: String(body["refresh_token"]) };
}

async function signUp(server: TestServer): Promise<Tokens> {
  return tokensOf(
    await server.request("POST", "/users/", { body: { email: "alice@example.com", password: "password" } }),
  );
}

const alice = { email: "alice@example.com", password: "password" };

function refreshWith(server: TestServer, token: string, key?: string): Promise<Answer> {
  const headers = key === undefined ? {} : { "idempotency-key": key };
  return server.request("POST", "/auth/refresh", { body: { refresh_token: token }, headers });
}

async function assertOver(server: TestServer, { access, refresh }: Tokens): Promise<void> {
  assert.equal((await server.request("GET", "/users/me", { token: access })).body["code"], "session-ended");
  assert.equal((await refreshWith(server, refresh)).body["reason"], "revoked");
}

test("each refresh gives the next token, and the session goes on", async () => {
  // RFC 9700 §4.14.2 (requirement 48)
  const server = await createTestServer();
  const first = await signUp(server);
  const second = tokensOf(await refreshWith(server, first.refresh));
  const third = tokensOf(await refreshWith(server, second.refresh));
  assert.equal(new Set([first.refresh, second.refresh, third.refresh]).size, 3);
  assert.notEqual(first.access, second.access);
  for (const { access } of [first, second, third])
    assert.equal((await server.request("GET", "/users/me", { token: access })).status, 200);
  assert.equal((await server.events()).filter((type) => type === "session/refreshed").length, 2);
});

test("each answer says which session it is of, and how often that was refreshed: newer than which other", async () => {
  const server = await createTestServer();
  const made = await server.request("POST", "/users/", { body: { email: "alice@example.com", password: "password" } });
  const first = tokensOf(made);
  const rotated = await refreshWith(server, first.refresh, "key-1");
  const retried = await refreshWith(server, first.refresh, "key-1");
  const overlapped = await refreshWith(server, first.refresh, "key-2");
  const next = await refreshWith(server, tokensOf(rotated).refresh);
  const counts = [made, rotated, retried, overlapped, next].map(({ body }) => body["refresh_count"]);
  assert.deepEqual(counts, [0, 1, 1, 1, 2]);
  const listed = await server.request("GET", "/users/me/sessions", { token: first.access });
  const [session] = listed.body["items"] as { readonly id: string }[];
  const ids = [made, rotated, retried, overlapped, next].map(({ body }) => body["session_id"]);
  assert.deepEqual(new Set(ids), new Set([session?.id]));
});

test("a lost answer: the same token with the same key gets the same successor, however late", async () => {
  const server = await createTestServer();
  const first = await signUp(server);
  const lost = tokensOf(await refreshWith(server, first.refresh, "key-1"));
  server.clock.advance(3 * 86_400_000);
  const again = tokensOf(await refreshWith(server, first.refresh, "key-1"));
  assert.equal(again.refresh, lost.refresh);
  const next = tokensOf(await refreshWith(server, again.refresh, "key-2"));
  assert.notEqual(next.refresh, again.refresh);
  assert.equal((await server.request("GET", "/users/me", { token: next.access })).status, 200);
});

test("once the successor was used, the same key does not help any more", async () => {
  // django-oauth-toolkit#1617 (requirement 50)
  const server = await createTestServer();
  const first = await signUp(server);
  const second = tokensOf(await refreshWith(server, first.refresh, "key-1"));
  const third = tokensOf(await refreshWith(server, second.refresh, "key-2"));
  server.clock.advance(60_001);
  const replay = await refreshWith(server, first.refresh, "key-1");
  assert.equal(replay.status, 401);
  assert.equal(replay.body["code"], "refresh-refused");
  assert.equal(replay.body["reason"], "reused");
  await assertOver(server, third);
});

test("a request that the network delivers a second time, after its client has gone on, gets nothing and ends nothing", async () => {
  const server = await createTestServer();
  const first = await signUp(server);
  const second = tokensOf(await refreshWith(server, first.refresh, "key-1"));
  const third = tokensOf(await refreshWith(server, second.refresh, "key-2"));
  const late = await refreshWith(server, first.refresh, "key-1");
  assert.equal(late.status, 401);
  assert.equal(late.body["reason"], "reused");
  const fourth = tokensOf(await refreshWith(server, third.refresh, "key-3"));
  assert.equal((await server.request("GET", "/users/me", { token: fourth.access })).status, 200);
  assert.equal((await server.events()).includes("session/refresh-reused"), false);
  const thief = await refreshWith(server, second.refresh, "another key");
  assert.equal(thief.body["reason"], "reused");
  await assertOver(server, fourth);
});

test("a request that comes late finds its key among many refreshes of one minute, and among none older", async () => {
  // The refresh proof: eight keys were too few for a client that refreshed nine times meanwhile.
  const server = await createTestServer();
  const first = await signUp(server);
  let newest = first;
  for (let use = 0; use < 60; use += 1) newest = tokensOf(await refreshWith(server, newest.refresh, `key-${use}`));
  const late = await refreshWith(server, first.refresh, "key-0");
  assert.equal(late.body["reason"], "reused");
  assert.equal((await server.events()).includes("session/refresh-reused"), false);
  server.clock.advance(60_001);
  newest = tokensOf(await refreshWith(server, newest.refresh, "a minute later"));
  assert.equal((await refreshWith(server, first.refresh, "key-0")).body["reason"], "reused");
  await assertOver(server, newest);
});

test("two tabs within ten seconds get the same successor", async () => {
  const server = await createTestServer();
  const first = await signUp(server);
  const one = tokensOf(await refreshWith(server, first.refresh, "tab-1"));
  server.clock.advance(10_000);
  const two = tokensOf(await refreshWith(server, first.refresh, "tab-2"));
  const three = tokensOf(await refreshWith(server, first.refresh));
  assert.deepEqual([two.refresh, three.refresh], [one.refresh, one.refresh]);
  await refreshWith(server, one.refresh);
  assert.equal((await server.events()).includes("session/refresh-reused"), false);
});

test("a used token that comes later without its key is a theft: the whole session ends", async () => {
  // RFC 9700 §4.14.2 (requirement 48): newest refresh token and access tokens included.
  for (const key of [undefined, "another-key"]) {
    const server = await createTestServer();
    const first = await signUp(server);
    const second = tokensOf(await refreshWith(server, first.refresh, "key-1"));
    server.clock.advance(10_001);
    const stolen = await refreshWith(server, first.refresh, key);
    assert.equal(stolen.status, 401);
    assert.equal(stolen.body["reason"], "reused");
    assert.equal(stolen.headers["www-authenticate"], "Bearer");
    await assertOver(server, second);
    assert.equal((await server.events()).at(-1), "session/refresh-reused");
  }
});

test("the overlap covers only the immediate predecessor and closes when the successor is used", async () => {
  // Requirement 50
  const server = await createTestServer();
  const first = await signUp(server);
  const second = tokensOf(await refreshWith(server, first.refresh));
  const third = tokensOf(await refreshWith(server, second.refresh));
  const stolen = await refreshWith(server, first.refresh);
  assert.equal(stolen.body["reason"], "reused", "within ten seconds all the same");
  await assertOver(server, third);
});

test("a hundred uses at once: one rotation, one successor, nobody signed out", async () => {
  // CVE-2026-1035 (requirement 49), V2, X18
  const server = await createTestServer();
  const first = await signUp(server);
  const answers = await Promise.all(
    Array.from({ length: 100 }, (_, index) => refreshWith(server, first.refresh, `key-${index % 3}`)),
  );
  const successors = new Set(answers.map((answer) => tokensOf(answer).refresh));
  assert.equal(successors.size, 1);
  const rotated = await server.platform.db
    .selectFrom("events")
    .select("payload")
    .where("type", "=", "session/refreshed")
    .execute();
  const outcomes = rotated.map(({ payload }) => (JSON.parse(payload) as { outcome: string }).outcome);
  assert.equal(outcomes.filter((outcome) => outcome === "rotated").length, 1);
  assert.equal(outcomes.length, 100);
  tokensOf(await refreshWith(server, [...successors][0] ?? ""));
});

test("what changes after a refresh has read its session, and before its transaction, counts", async (t) => {
  const server = await createTestServer({ LIMIT_REFRESH: "100/60s" });
  const admin = await server.administrator();
  const first = await signUp(server);
  const { body } = await server.request("GET", "/users/me", { token: first.access });
  const { take } = server.platform.rateLimiter;
  let meanwhile = async (): Promise<unknown> => undefined;
  // In between it takes its place in the limit.
  t.mock.method(server.platform.rateLimiter, "take", async (...about: Parameters<typeof take>) => {
    if (about[0].name === "refresh") {
      const change = meanwhile;
      meanwhile = async () => undefined;
      await change();
    }
    return take(...about);
  });
  const patch = async (change: object): Promise<void> => {
    const answer = await server.request("PATCH", `/admin/users/${String(body["id"])}`, {
      token: admin.token,
      body: change,
    });
    assert.equal(answer.status, 200, answer.text);
  };
  const roleOf = (token: string): unknown =>
    (JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString()) as Record<string, unknown>)["role"];

  meanwhile = () => patch({ role: "admin" });
  const second = tokensOf(await refreshWith(server, first.refresh));
  assert.equal(roleOf(second.access), "admin", "another role");

  let others: Answer | undefined;
  meanwhile = async () => (others = await refreshWith(server, second.refresh, "key of another tab"));
  const third = tokensOf(await refreshWith(server, second.refresh));
  assert.ok(others);
  assert.equal(third.refresh, tokensOf(others).refresh, "another tab");

  meanwhile = async () => server.clock.advance(400 * 86_400_000);
  assert.equal((await refreshWith(server, third.refresh)).body["reason"], "expired", "its time");
  server.clock.advance(-400 * 86_400_000);

  meanwhile = () => patch({ disabled: true });
  assert.equal((await refreshWith(server, third.refresh)).body["reason"], "revoked", "a disabled account");

  const [session] = await server.platform.db
    .selectFrom("sessions")
    .selectAll()
    .where("id", "=", String(others.body["session_id"]))
    .execute();
  assert.equal(session?.refresh_generation, 3, "nothing of the last two was kept");
});

test("what was never ours is unknown, and costs nobody anything", async () => {
  const server = await createTestServer();
  const { refresh, access } = await signUp(server);
  const flipped = refresh.slice(0, -2) + (refresh.at(-2) === "A" ? "B" : "A") + (refresh.at(-1) ?? "");
  const stranger = "tgr_".padEnd(refresh.length, "A");
  for (const token of ["x", "tgr_", stranger, flipped, `${refresh}A`, ` ${refresh}`, refresh.toUpperCase(), access]) {
    const answer = await refreshWith(server, token.slice(0, 256));
    assert.equal(answer.status === 422 || answer.body["reason"] === "unknown", true, token);
  }
  tokensOf(await refreshWith(server, refresh));
});

test("no kind of token passes for another", async () => {
  // RFC 9068 §2.1 (requirement 39), V14
  const server = await createTestServer();
  const { refresh, access } = await signUp(server);
  assert.equal((await server.request("GET", "/users/me", { token: refresh })).body["code"], "token-invalid");
  assert.notEqual((await refreshWith(server, access.slice(0, 256))).status, 200);
});

test("a session ends when it is idle, and for good after its lifetime, however often it is refreshed", async () => {
  // ASVS 7.3.1, 7.3.2 (requirement 51)
  const server = await createTestServer();
  const idle = await signUp(server);
  server.clock.advance(14 * 86_400_000);
  assert.equal((await refreshWith(server, idle.refresh)).body["reason"], "expired");
  let { refresh } = tokensOf(
    await server.request("POST", "/auth/login", { body: { email: "alice@example.com", password: "password" } }),
  );
  for (let days = 0; days < 80; days += 10) {
    server.clock.advance(10 * 86_400_000);
    const answer = await refreshWith(server, refresh);
    assert.equal(answer.body["refresh_expires_in"], Math.min(14, 80 - days) * 86_400);
    ({ refresh } = tokensOf(answer));
  }
  server.clock.advance(10 * 86_400_000);
  assert.equal((await refreshWith(server, refresh)).body["reason"], "expired");
});

test("signing out ends this session at once, and no other", async () => {
  // ASVS 7.4.1 (requirement 47)
  const server = await createTestServer();
  const mine = await signUp(server);
  const other = tokensOf(
    await server.request("POST", "/auth/login", { body: { email: "alice@example.com", password: "password" } }),
  );
  assert.equal((await server.request("POST", "/auth/logout", { token: mine.access })).status, 204);
  await assertOver(server, mine);
  assert.equal((await server.request("POST", "/auth/logout", { token: mine.access })).status, 401);
  assert.equal((await server.request("GET", "/users/me", { token: other.access })).status, 200);
  tokensOf(await refreshWith(server, other.refresh));
});

test("one sees where one is signed in and ends what one does not know", async () => {
  // ASVS 7.5.2 (requirement 52)
  const server = await createTestServer();
  const mine = await signUp(server);
  server.clock.advance(60_000);
  const login = {
    body: { email: "alice@example.com", password: "password" },
    headers: { "user-agent": "Phone\u0007/1" },
    address: "198.51.100.4",
  };
  const phone = tokensOf(await server.request("POST", "/auth/login", login));
  const laptop = tokensOf(await server.request("POST", "/auth/login", { body: login.body }));
  const list = async () =>
    (await server.request("GET", "/users/me/sessions", { token: mine.access })).body["items"] as Record<
      string,
      unknown
    >[];
  const [first, second, third] = await list();
  assert.deepEqual([first?.["current"], second?.["current"], third?.["current"]], [false, false, true]);
  const phoneSession = (await list()).find((session) => session["address"] === "198.51.100.4");
  assert.equal(phoneSession?.["user_agent"], "Phone\ufffd/1");
  assert.equal(phoneSession?.["created_at"], "2026-01-15T12:01:00.000Z");

  assert.equal(
    (await server.request("DELETE", `/users/me/sessions/${String(phoneSession?.["id"])}`, { token: mine.access }))
      .status,
    204,
  );
  await assertOver(server, phone);
  const again = await server.request("DELETE", `/users/me/sessions/${String(phoneSession?.["id"])}`, {
    token: mine.access,
  });
  assert.equal(again.body["code"], "session-not-found");
  assert.equal((await server.request("DELETE", "/users/me/sessions", { token: mine.access })).status, 204);
  await assertOver(server, laptop);
  assert.equal((await list()).length, 1);
});

test("an address is an address, and a user agent one line of 256 characters without control characters", async () => {
  const server = await createTestServer();
  const { access } = await signUp(server);
  const headers = {
    "user-agent": `\u001b[31mA\u009b\u00ad${"x".repeat(9_000)}`,
    "x-forwarded-for": "<script>, 1.2.3.4",
  };
  await server.request("POST", "/auth/login", { body: alice, headers, address: "::ffff:203.0.113.9" });
  const { body } = await server.request("GET", "/users/me/sessions", { token: access });
  const items = body["items"] as { address: string; user_agent: string; current: boolean }[];
  const other = items.find(({ current }) => !current);
  assert.deepEqual([other?.address, other?.user_agent], ["203.0.113.9", `\ufffd[31mA\ufffd\ufffd${"x".repeat(248)}`]);
});

test("nobody ends somebody else's session", async () => {
  const server = await createTestServer();
  const alice = await server.signUp("alice@example.com");
  const bob = await server.signUp("bob@example.com");
  const { body } = await server.request("GET", "/users/me/sessions", { token: bob.token });
  const [session] = body["items"] as { id: string }[];
  const refused = await server.request("DELETE", `/users/me/sessions/${session?.id ?? ""}`, { token: alice.token });
  assert.equal(refused.status, 404);
  assert.equal((await server.request("GET", "/users/me", { token: bob.token })).status, 200);
});

test("another password, a disabled and a deleted account end the refresh tokens too", async () => {
  const server = await createTestServer();
  const admin = await server.administrator();
  const tokens = await signUp(server);
  const other = tokensOf(
    await server.request("POST", "/auth/login", { body: { email: "alice@example.com", password: "password" } }),
  );
  await server.request("PUT", "/users/me/password", {
    token: tokens.access,
    body: { current_password: "password", new_password: "another one" },
  });
  await assertOver(server, other);
  const kept = tokensOf(await refreshWith(server, tokens.refresh));
  const { body } = await server.request("GET", "/users/me", { token: kept.access });
  await server.request("PATCH", `/admin/users/${String(body["id"])}`, { token: admin.token, body: { disabled: true } });
  await assertOver(server, kept);
  await server.request("DELETE", `/users/${String(body["id"])}`, { token: admin.token });
  assert.equal((await refreshWith(server, kept.refresh)).body["reason"], "unknown");
});

test("outcomes are counted by name", async () => {
  const server = await createTestServer();
  const first = await signUp(server);
  await refreshWith(server, first.refresh, "key");
  await refreshWith(server, first.refresh, "key");
  await refreshWith(server, first.refresh, "other");
  server.clock.advance(10_001);
  await refreshWith(server, first.refresh);
  await refreshWith(server, first.refresh);
  await refreshWith(server, "tgr_unknown");
  const { values } = await server.platform.metrics.refreshes.get();
  const counts = Object.fromEntries(values.map(({ labels, value }) => [labels.outcome, value]));
  const none = { duplicate: 0, expired: 0 };
  assert.deepEqual(counts, { ...none, rotated: 1, retried: 1, overlapped: 1, stolen: 1, revoked: 1, unknown: 1 });
  const second = tokensOf(await server.request("POST", "/auth/login", { body: alice }));
  const third = tokensOf(await refreshWith(server, second.refresh, "key"));
  tokensOf(await refreshWith(server, third.refresh));
  await refreshWith(server, second.refresh, "key");
  server.clock.advance(90 * 86_400_000);
  await refreshWith(server, third.refresh);
  const after = (await server.platform.metrics.refreshes.get()).values;
  const now = Object.fromEntries(after.map(({ labels, value }) => [labels.outcome, value]));
  assert.deepEqual(now, { ...counts, rotated: 3, duplicate: 1, expired: 1 }, "a late duplicate is no theft");
});

test("refreshing is limited by session", async () => {
  const server = await createTestServer({ LIMIT_REFRESH: "2/60s" });
  const { refresh } = await signUp(server);
  const second = tokensOf(await refreshWith(server, refresh));
  const answer = await refreshWith(server, second.refresh);
  assert.equal(answer.headers["ratelimit"], '"refresh";r=0;t=60');
  const refused = await refreshWith(server, tokensOf(answer).refresh);
  assert.equal(refused.status, 429);
  assert.equal(refused.body["limit"], "refresh");
});

test("as a cookie the refresh token is in no body, and only pages of our own may use it", async () => {
  // ASVS 3.3.1–3.3.4 (requirement 56), 3.5.1 (requirement 57)
  for (const [publicUrl, name] of [
    ["https://auth.example.com", "__Host-tollgate_refresh"],
    ["http://localhost:8000", "tollgate_refresh"],
  ] as const) {
    const server = await createTestServer({ PUBLIC_URL: publicUrl });
    const made = await server.request("POST", "/users/", {
      body: { email: "alice@example.com", password: "password", delivery: "cookie" },
    });
    assert.equal(made.status, 201);
    assert.equal("refresh_token" in made.body, false);
    assert.equal("device_token" in made.body, false);
    const [cookie = "", device = ""] = [made.headers["set-cookie"] ?? []].flat();
    assert.ok(device.startsWith(name.replace("refresh", "device=tgd_")), device);
    assert.match(device, /; Max-Age=31536000; Path=\/; HttpOnly; SameSite=Strict/);
    const secure = publicUrl.startsWith("https") ? "; Secure" : "";
    assert.match(
      cookie,
      new RegExp(`^${name}=tgr_[\\w-]+; Max-Age=1209600; Path=/; HttpOnly; SameSite=Strict${secure}$`),
    );
    const pair = cookie.split(";")[0] ?? "";
    const refresh = (headers: Record<string, string>) =>
      server.request("POST", "/auth/refresh", {
        body: { delivery: "cookie" },
        headers: { cookie: `theme=dark; ${pair}`, ...headers },
      });
    for (const headers of [
      {},
      { origin: "null" },
      { origin: "https://evil.example" },
      { origin: `${publicUrl}.evil.example` },
      { "sec-fetch-site": "cross-site", origin: publicUrl },
      { "sec-fetch-site": "same-site" },
      { "sec-fetch-site": "none" },
    ] as Record<string, string>[]) {
      const refused = await refresh(headers);
      assert.equal(refused.status, 403, JSON.stringify(headers));
      assert.equal(refused.body["code"], "foreign-origin");
    }
    const refreshed = await refresh({ "sec-fetch-site": "same-origin" });
    assert.equal(refreshed.status, 200);
    assert.notEqual((refreshed.headers["set-cookie"] ?? "").split(";")[0], pair);
    const out = await server.request("POST", "/auth/logout", { token: String(refreshed.body["token"]) });
    assert.match(out.headers["set-cookie"] ?? "", new RegExp(`^${name}=; Max-Age=0; Path=/`));
  }
});

test("a page may ask whether anybody is signed in: no cookie is an answer, a forgotten token a fault", async () => {
  const server = await createTestServer();
  const nobody = await server.request("POST", "/auth/refresh", { body: { delivery: "cookie" } });
  assert.equal(nobody.status, 204);
  assert.equal(nobody.text, "");
  assert.equal(nobody.headers["set-cookie"], undefined);
  for (const body of [{}, { delivery: "body" }]) {
    const refused = await server.request("POST", "/auth/refresh", { body });
    assert.equal(refused.status, 422);
    assert.deepEqual(
      (refused.body["errors"] as { pointer: string }[]).map(({ pointer }) => pointer),
      ["#/refresh_token"],
    );
  }
  assert.deepEqual(await server.events(), ["signing-key/created"]);
});

test("an answer that is asked for again says how long its token really waits", async () => {
  const server = await createTestServer();
  const first = await signUp(server);
  await refreshWith(server, first.refresh, "key-1");
  server.clock.advance(3 * 86_400_000);
  const again = await refreshWith(server, first.refresh, "key-1");
  assert.equal(again.body["refresh_expires_in"], 11 * 86_400, "14 days after the use that made it");
  server.clock.advance(11 * 86_400_000 - 1);
  tokensOf(await refreshWith(server, String(again.body["refresh_token"])));
});

test("a clock that is set back gives a thief no longer window", async () => {
  // X11
  for (const [jump, reason] of [
    [-3_600_000, "reused"],
    [-10_001, "reused"],
    [-10_000, undefined],
  ] as const) {
    const server = await createTestServer();
    const first = await signUp(server);
    const second = tokensOf(await refreshWith(server, first.refresh, "key-1"));
    server.clock.jump(jump);
    const thief = await refreshWith(server, first.refresh);
    assert.equal(thief.body["reason"], reason, String(jump));
    if (reason === undefined) assert.equal(tokensOf(thief).refresh, second.refresh);
    else assert.equal((await refreshWith(server, second.refresh)).body["reason"], "revoked");
  }
});

test("what is under way while a theft is found does not outlive it", async () => {
  // supabase discussion #52614, I3: one descendant succeeded 287 ms later.
  const server = await createTestServer();
  await server.signUp(alice.email, alice.password);
  for (let round = 0; round < 30; round += 1) {
    const first = tokensOf(await server.request("POST", "/auth/login", { body: alice }));
    const second = tokensOf(await refreshWith(server, first.refresh, "key-1"));
    server.clock.advance(10_001);
    const [theft, ...descendants] = await Promise.all([
      ...(round % 2 === 0 ? [refreshWith(server, first.refresh)] : []),
      refreshWith(server, second.refresh, "key-2"),
      refreshWith(server, second.refresh, "key-2"),
      ...(round % 2 === 1 ? [refreshWith(server, first.refresh)] : []),
    ]).then((answers) => (round % 2 === 0 ? answers : answers.toReversed()));
    assert.equal(theft?.body["reason"], "reused");
    for (const descendant of descendants) {
      if (descendant.status === 200) await assertOver(server, tokensOf(descendant));
      else assert.equal(descendant.body["reason"], "revoked");
    }
    await assertOver(server, second);
  }
});

test("sessions that are over are purged, whyever they are; living ones stay", async () => {
  const server = await createTestServer({ SESSION_IDLE_LIFETIME: "14d", SESSION_LIFETIME: "20d" });
  const gone = await signUp(server);
  await server.request("POST", "/auth/logout", { token: gone.access });
  const idle = tokensOf(await server.request("POST", "/auth/login", { body: alice }));
  let worn = tokensOf(await server.request("POST", "/auth/login", { body: alice }));
  const sessions = async (): Promise<number> =>
    (await server.platform.db.selectFrom("sessions").select("id").execute()).length;
  server.clock.advance(7 * 86_400_000);
  assert.equal(await purgeSessions(server.platform), false);
  assert.equal(await sessions(), 3, "an ended one is remembered for a week");
  assert.equal((await refreshWith(server, gone.refresh)).body["reason"], "revoked");
  server.clock.advance(1);
  await purgeSessions(server.platform);
  assert.equal(await sessions(), 2);
  assert.equal((await refreshWith(server, gone.refresh)).body["reason"], "unknown");
  worn = tokensOf(await refreshWith(server, worn.refresh));
  server.clock.advance(13 * 86_400_000);
  const living = tokensOf(await server.request("POST", "/auth/login", { body: alice }));
  server.clock.advance(86_400_000);
  await purgeSessions(server.platform);
  assert.deepEqual([(await refreshWith(server, idle.refresh)).body["reason"], await sessions()], ["unknown", 2]);
  assert.equal((await refreshWith(server, worn.refresh)).body["reason"], "expired");
  server.clock.advance(6 * 86_400_000 + 1);
  await purgeSessions(server.platform);
  assert.deepEqual([(await refreshWith(server, worn.refresh)).body["reason"], await sessions()], ["unknown", 1]);
  tokensOf(await refreshWith(server, living.refresh));
});

test("the purge goes in small steps, and no step reads the whole table", async (t) => {
  const server = await createTestServer({ DATABASE_URL: "sqlite::memory:" });
  const { db } = server.platform;
  await signUp(server);
  const row = await db.selectFrom("sessions").selectAll().executeTakeFirstOrThrow();
  for (let index = 0; index < 1_100; index += 1) {
    await db
      .insertInto("sessions")
      .values({ ...row, id: `ended-${index}`, ended_at: row.created_at, end_reason: "signed-out" })
      .execute();
  }
  server.clock.advance(8 * 86_400_000);
  const statements: string[] = [];
  const { prepare } = DatabaseSync.prototype;
  t.mock.method(DatabaseSync.prototype, "prepare", function (this: DatabaseSync, text: string) {
    statements.push(text);
    return prepare.call(this, text);
  });
  const left = async (): Promise<number> => (await db.selectFrom("sessions").select("id").execute()).length;
  const steps = [];
  for (let isMore = true; isMore;) {
    isMore = await purgeSessions(server.platform);
    steps.push(await left());
  }
  assert.deepEqual(steps, [601, 101, 1]);
  const deletes = statements.filter((text) => text.startsWith("delete"));
  assert.equal(deletes.length, 3);
  for (const text of deletes) {
    const { rows } = await sql<{ detail: string }>`explain query plan ${sql.raw(text.replaceAll("?", "1"))}`.execute(
      db,
    );
    const plan = rows.map(({ detail }) => detail).join("; ");
    assert.doesNotMatch(plan, /\bSCAN\b/, text);
  }
});
