import assert from "node:assert/strict";
import { describe, test, type TestContext } from "node:test";
import { purgeThrowaways } from "../../src/features/development/development.ts";
import { inTransaction } from "../../src/platform/database/transaction.ts";
import { temporaryDirectory } from "../support/server-process.ts";
import { type Answer, createTestServer, type RequestOptions, type TestServer } from "../support/test-server.ts";

const production = {
  TOLLGATE_MODE: "production",
  PUBLIC_URL: "https://auth.example.com",
  SECRET_KEY: "k".repeat(48),
  ARGON2_MEMORY_KIB: "19456",
  ARGON2_PASSES: "2",
};

const switches = [
  ["GET", "/dev/faults"],
  ["POST", "/dev/faults"],
  ["GET", "/dev/clock"],
  ["POST", "/dev/clock"],
  ["DELETE", "/dev/clock"],
  ["POST", "/dev/accounts"],
  ["GET", "/dev/inbox"],
  ["DELETE", "/dev/inbox"],
  ["GET", "/dev/inbox/unknown"],
  ["GET", "/dev/mail"],
  ["GET", "/dev/mail/trial"],
] as const;

/** As the person in front of the machine. */
function here(server: TestServer, method: string, url: string, body?: unknown): Promise<Answer> {
  return server.request(method, url, { address: "127.0.0.1", ...(body === undefined ? {} : { body }) });
}

async function said(answer: Promise<Answer>): Promise<string> {
  const { status, body } = await answer;
  return status < 400 ? String(status) : `${status} ${String(body["code"])}`;
}

describe("the database, away on purpose", () => {
  test("each route says so by the gate that needed it, and it comes back by itself", async () => {
    const server = await createTestServer();
    const { token } = await server.signUp("alice@example.com");
    const events = await server.events();
    assert.deepEqual((await here(server, "GET", "/dev/faults")).body, { database: "there", seconds_left: 0 });
    const begun = await here(server, "POST", "/dev/faults", { database: "away" });
    assert.deepEqual(begun.body, { database: "away", seconds_left: 10 });

    const me = await server.request("GET", "/users/me", { token });
    assert.equal(
      `${me.status} ${String(me.body["code"])} ${String(me.body["gate"])}`,
      "503 database-unavailable depend",
    );
    assert.match(me.headers["retry-after"] ?? "", /^[1-9]\d*$/);
    const ready = await server.request("GET", "/health/ready");
    assert.deepEqual([ready.status, ready.body["failing"]], [503, ["database"]]);
    assert.equal(await said(server.request("GET", "/")), "503 database-unavailable");
    const page = await server.request("GET", "/", { headers: { accept: "text/html" } });
    assert.match(page.text, /Database away/);
    const signUp = { body: { email: "bob@example.com", password: "password" } };
    assert.equal(await said(server.request("POST", "/users/", signUp)), "503 database-unavailable");
    assert.equal((await server.request("GET", "/health/live")).status, 200);

    server.clock.advance(9_001);
    assert.deepEqual((await here(server, "GET", "/dev/faults")).body, { database: "away", seconds_left: 1 });
    server.clock.advance(999);
    assert.deepEqual((await here(server, "GET", "/dev/faults")).body, { database: "there", seconds_left: 0 });
    assert.equal((await server.request("GET", "/users/me", { token })).status, 200);
    assert.deepEqual(await server.events(), events, "and nothing was changed");
  });

  test("it is ended at once, lasts as long as was asked, and no turned clock shortens it", async () => {
    const server = await createTestServer();
    await here(server, "POST", "/dev/faults", { database: "away", seconds: 60 });
    const ended = await here(server, "POST", "/dev/faults", { database: "there" });
    assert.deepEqual(ended.body, { database: "there", seconds_left: 0 });
    assert.equal((await server.request("GET", "/health/ready")).status, 200);
    await here(server, "POST", "/dev/faults", { database: "away", seconds: 60 });
    await here(server, "POST", "/dev/clock", { advance_seconds: 3600 });
    assert.equal((await here(server, "GET", "/dev/faults")).body["seconds_left"], 60);
    for (const body of [
      { database: "gone" },
      { database: "away", seconds: 0 },
      { database: "away", seconds: 61 },
      {},
    ]) {
      assert.equal(await said(here(server, "POST", "/dev/faults", body)), "422 validation-failed");
    }
    assert.equal((await here(server, "GET", "/dev/faults")).body["seconds_left"], 60, "and the refused change nothing");
  });

  test("a transaction that is under way is finished", async () => {
    const server = await createTestServer({}, {}, { conflicts: false });
    const { id, token } = await server.signUp("alice@example.com");
    await inTransaction(server.platform, async (tx) => {
      await tx.db.updateTable("accounts").set({ display_name: "first half" }).execute();
      await here(server, "POST", "/dev/faults", { database: "away" });
      assert.equal((await server.request("GET", "/users/me", { token })).status, 503);
      await tx.db.updateTable("accounts").set({ display_name: "both halves" }).where("id", "=", id).execute();
    });
    await here(server, "POST", "/dev/faults", { database: "there" });
    const { body } = await server.request("GET", "/users/me", { token });
    assert.equal(body["display_name"], "both halves");
  });
});

describe("the clock, set ahead", () => {
  test("a token expires, a limit ages, and the time of day comes back", async () => {
    const server = await createTestServer();
    const { token, email, password } = await server.signUp("alice@example.com");
    const limited = () => said(server.request("GET", "/users/limited?client_id=me"));
    for (let count = 0; count < 5; count += 1) assert.equal(await limited(), "200");
    assert.equal(await limited(), "429 too-many-requests");
    const before = server.clock.now();

    const ahead = await here(server, "POST", "/dev/clock", { advance_seconds: 960 });
    assert.deepEqual(ahead.body, { now: new Date(before + 960_000).toISOString(), offset_seconds: 960 });
    const handled = /handle;desc="[^"]*";dur=([\d.]+)/.exec(ahead.headers["server-timing"] ?? "")?.[1];
    assert.equal(Number(handled), 0, "no request took sixteen minutes");
    assert.equal(await said(server.request("GET", "/users/me", { token })), "401 token-expired");
    assert.equal(await limited(), "200");
    const later = await server.logIn(email, password);
    assert.equal((await server.request("GET", "/users/me", { token: later })).status, 200);

    const back = await here(server, "DELETE", "/dev/clock");
    assert.deepEqual(back.body, { now: new Date(before).toISOString(), offset_seconds: 0 });
    assert.equal((await server.request("GET", "/users/me", { token })).status, 200, "the old token is good again");
    for (let count = 0; count < 4; count += 1) assert.equal(await limited(), "200");
    assert.equal(await limited(), "429 too-many-requests", "a window never goes back");
  });

  test("it goes forward only, and not further than a session can live", async () => {
    const server = await createTestServer();
    const yearSeconds = 365 * 86_400;
    for (const seconds of [0, -900, 1.5, yearSeconds + 1, "900", null]) {
      const body = { advance_seconds: seconds };
      assert.equal(await said(here(server, "POST", "/dev/clock", body)), "422 validation-failed", String(seconds));
    }
    assert.equal((await here(server, "GET", "/dev/clock")).body["offset_seconds"], 0);
    await here(server, "POST", "/dev/clock", { advance_seconds: yearSeconds });
    const further = await here(server, "POST", "/dev/clock", { advance_seconds: 1 });
    assert.equal(further.status, 422);
    assert.deepEqual(
      (further.body["errors"] as { pointer: string; code: string }[]).map(({ pointer, code }) => `${pointer} ${code}`),
      ["#/advance_seconds too-large"],
    );
    assert.equal((await here(server, "GET", "/dev/clock")).body["offset_seconds"], yearSeconds);
  });
});

describe("throw-away accounts", () => {
  const make = (server: TestServer, role: "user" | "admin") => here(server, "POST", "/dev/accounts", { role });

  test("each is signed in by the one door, with a password that works, and audited", async () => {
    const server = await createTestServer({ LIMIT_SIGN_UP: "1/1h", LIMIT_API: "100/60s" });
    for (const role of ["user", "admin"] as const) {
      const { status, headers, body } = await make(server, role);
      assert.equal(status, 201);
      const user = body["user"] as { id: number; email: string; role: string };
      assert.equal(headers["location"], `/users/${user.id}`);
      assert.match(headers["ratelimit-policy"] ?? "", /^"api";/, "counted, but not as a sign-up");
      assert.match(user.email, /^lab-[0-9a-f-]{36}@example\.com$/);
      const token = String(body["token"]);
      assert.deepEqual((await server.request("GET", "/users/me", { token })).body, user);
      const list = await server.request("GET", "/admin/users", { token });
      assert.equal(list.status, role === "admin" ? 200 : 403);
      assert.equal(typeof (await server.logIn(user.email, String(body["password"]))), "string");
      const refreshed = await server.request("POST", "/auth/refresh", {
        body: { refresh_token: body["refresh_token"] },
      });
      assert.equal(refreshed.status, 200);
    }
    const rows = await server.platform.db.selectFrom("events").select(["type", "payload"]).orderBy("id").execute();
    const made = rows.filter(({ type }) => type === "account/created" || type === "session/started").slice(0, 2);
    assert.deepEqual(
      made.map(({ type, payload }) => [type, JSON.parse(payload) as Record<string, unknown>]),
      [
        ["account/created", { role: "user", by: "lab" }],
        ["session/started", { ...(JSON.parse(made[1]?.payload ?? "{}") as object), method: "lab" }],
      ],
    );
  });

  test("twenty live at once, the oldest goes, and nobody else", async () => {
    const server = await createTestServer();
    const alice = await server.signUp("alice@example.com");
    const tokens: string[] = [];
    for (let count = 0; count < 21; count += 1) tokens.push(String((await make(server, "user")).body["token"]));
    const [oldest = "", ...living] = tokens;
    assert.equal(await said(server.request("GET", "/users/me", { token: oldest })), "401 session-ended");
    for (const token of [...living, alice.token]) {
      assert.equal((await server.request("GET", "/users/me", { token })).status, 200);
    }
    assert.equal((await server.events()).filter((type) => type === "account/deleted").length, 1);
  });

  test("each goes after an hour of real time, the only administrator too, and says why", async () => {
    const server = await createTestServer();
    const alice = await server.signUp("alice@example.com");
    const admin = String((await make(server, "admin")).body["token"]);
    await here(server, "POST", "/dev/clock", { advance_seconds: 7200 });
    await purgeThrowaways(server.platform);
    await here(server, "DELETE", "/dev/clock");
    assert.equal(
      (await server.request("GET", "/users/me", { token: admin })).status,
      200,
      "a turned clock deletes none",
    );
    server.clock.advance(3_600_001);
    await purgeThrowaways(server.platform);
    const { token } = await server.administrator();
    const { items } = (await server.request("GET", "/admin/users", { token })).body as {
      items: { email: string }[];
    };
    assert.deepEqual(
      items.map(({ email }) => email),
      [alice.email, "admin@example.com"],
    );
    const { payload } = await server.platform.db
      .selectFrom("events")
      .select("payload")
      .where("type", "=", "account/deleted")
      .executeTakeFirstOrThrow();
    assert.deepEqual(JSON.parse(payload), { reason: "throw-away" });
  });

  test("none is an administrator to rely on", async () => {
    const server = await createTestServer();
    const real = await server.administrator();
    await make(server, "admin");
    const demote = { token: real.token, body: { role: "user" } };
    assert.equal(await said(server.request("PATCH", `/admin/users/${real.id}`, demote)), "409 last-admin");
  });
});

test("in production there is nothing: no route, no word in the OpenAPI, and no account that was left over", async (t) => {
  const DATABASE_URL = databaseUrl(t);
  const played = await createTestServer({ DATABASE_URL, SECRET_KEY: production.SECRET_KEY });
  const { body } = await here(played, "POST", "/dev/accounts", { role: "admin" });
  await played.signUp("alice@example.com");

  const server = await createTestServer({ ...production, DATABASE_URL });
  const paths = (one: TestServer): string[] => Object.keys(one.app.swagger().paths ?? {});
  assert.deepEqual(
    paths(played).filter((path) => !paths(server).includes(path)),
    ["/dev/faults", "/dev/clock", "/dev/accounts", "/dev/inbox", "/dev/inbox/{id}", "/dev/mail", "/dev/mail/{kind}"],
  );
  assert.doesNotMatch(JSON.stringify(server.app.swagger()), /\/dev\/|x-development|"Development"|throw-?away/);
  for (const [method, url] of switches) {
    const answer = await server.request(method, url, { address: "127.0.0.1", headers: { host: "localhost:8000" } });
    assert.equal(`${answer.status} ${String(answer.body["code"])}`, "404 not-found", `${method} ${url}`);
  }
  const left = await server.platform.db.selectFrom("accounts").select("email").execute();
  assert.deepEqual(
    left.map(({ email }) => email),
    ["alice@example.com"],
  );
  const { email } = body["user"] as { email: string };
  const login = { body: { email, password: body["password"] } };
  assert.equal(await said(server.request("POST", "/auth/login", login)), "401 wrong-credentials");
});

function databaseUrl(t: TestContext): string {
  return `sqlite:${temporaryDirectory(t)}/tollgate.db`;
}

test("only this machine is answered: no proxy, no other name, no page of others", async () => {
  // ASVS 3.5.1–3.5.3 (requirement 57), 13.4.2 (requirement 86)
  const server = await createTestServer({ TRUSTED_PROXIES: "loopback", CORS_ORIGINS: "https://app.example.com" });
  const events = await server.events();
  const own = { host: "localhost:8000" };
  const page = { ...own, origin: "http://localhost:8000", "sec-fetch-site": "same-origin" };
  const accepted: readonly RequestOptions[] = [
    { address: "127.0.0.1", headers: own },
    { address: "127.9.9.9", headers: own },
    { address: "::1", headers: { host: "[::1]:8000" } },
    { address: "::ffff:127.0.0.1", headers: { host: "127.0.0.1" } },
    { address: "127.0.0.1", headers: page },
    { address: "127.0.0.1", headers: { ...own, "sec-fetch-site": "none" } },
  ];
  const refused: readonly RequestOptions[] = [
    { address: "203.0.113.7", headers: own },
    { address: "10.0.0.1", headers: own },
    { address: "::ffff:203.0.113.7", headers: own },
    { address: "2001:db8::1", headers: own },
    ...["forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip"].map((name) => ({
      address: "127.0.0.1",
      headers: { ...own, [name]: "127.0.0.1" },
    })),
    ...[
      "rebound.example:8000",
      "localhost.rebound.example",
      "127.0.0.1.nip.io:8000",
      "localhost:8000@evil.example",
      "0.0.0.0:8000",
      "auth.example.com",
    ].map((host) => ({ address: "127.0.0.1", headers: { host } })),
    ...["http://evil.example", "null", "http://localhost:3000", "http://localhost", "https://localhost:8000"].map(
      (origin) => ({ address: "127.0.0.1", headers: { ...own, origin } }),
    ),
    ...["cross-site", "same-site", ""].map((site) => ({
      address: "127.0.0.1",
      headers: { ...own, "sec-fetch-site": site },
    })),
    // A rebound page is of one origin with itself.
    { address: "127.0.0.1", headers: { host: "evil.example:8000", origin: "http://evil.example:8000" } },
    // An origin that may call the API may not turn the switches.
    { address: "127.0.0.1", headers: { ...own, origin: "https://app.example.com", "sec-fetch-site": "cross-site" } },
  ];
  for (const [method, url] of switches) {
    for (const options of refused) {
      const body = method === "POST" ? { body: { database: "away", advance_seconds: 900, role: "admin" } } : {};
      assert.equal(
        await said(server.request(method, url, { ...options, ...body })),
        "403 not-this-machine",
        `${method} ${url} ${JSON.stringify(options)}`,
      );
    }
  }
  assert.deepEqual((await here(server, "GET", "/dev/faults")).body["database"], "there");
  assert.equal((await here(server, "GET", "/dev/clock")).body["offset_seconds"], 0);
  assert.deepEqual(await server.events(), events, "and nothing happened");
  for (const options of accepted) {
    assert.equal(await said(server.request("GET", "/dev/faults", options)), "200", JSON.stringify(options));
  }
  const text = { address: "127.0.0.1", raw: { contentType: "text/plain", text: '{"database":"away"}' } };
  assert.equal(await said(server.request("POST", "/dev/faults", text)), "415 unsupported-media-type");
  assert.equal((await here(server, "GET", "/dev/faults")).body["database"], "there");
});
