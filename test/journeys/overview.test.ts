import assert from "node:assert/strict";
import { test } from "node:test";
import { createTestClock } from "../support/test-clock.ts";
import { sharedDatabase } from "../support/test-database.ts";
import { createTestServer, type TestServer } from "../support/test-server.ts";

type Figures = {
  readonly sign_ups: number;
  readonly sign_ins: number;
  readonly wrong_passwords: number;
  readonly requests: number;
  readonly refusals: Readonly<Record<string, number>>;
  readonly refreshes: Readonly<Record<string, number>>;
  readonly latency_p50_ms: number | null;
  readonly latency_p99_ms: number | null;
};

type Overview = {
  readonly totals: Readonly<Record<string, number>>;
  readonly now: Readonly<Record<string, number | string>>;
  readonly period: string;
  readonly step_seconds: number;
  readonly points: readonly (Figures & { readonly starts_at: string })[];
  readonly sums: Figures;
};

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;

async function overviewOf(server: TestServer, token: string, query = ""): Promise<Overview> {
  const { status, body, text } = await server.request("GET", `/admin/overview${query}`, { token });
  assert.equal(status, 200, text);
  return body as unknown as Overview;
}

const none = { route: 0, limit: 0, authenticate: 0, authorize: 0, validate: 0, handle: 0, depend: 0 };

test("what happened in the last hour is told minute by minute, and as a sum", async () => {
  const server = await createTestServer({ LIMIT_API: "6/60s" });
  const { token } = await server.administrator();
  await server.app.flushOverview();
  server.clock.advance(5 * minute);
  const before = await overviewOf(server, token);
  assert.equal(before.points.length, 60);
  assert.equal(before.step_seconds, 60);
  assert.equal(before.period, "hour");
  assert.deepEqual([before.sums.sign_ups, before.sums.sign_ins], [0, 1], "made on the command line is not signed up");

  const alice = await server.signUp("alice@example.com");
  await server.logIn(alice.email, alice.password);
  for (const email of [alice.email, "nobody@example.com"]) {
    const wrong = await server.request("POST", "/auth/login", { body: { email, password: "not the password" } });
    assert.equal(wrong.status, 401);
  }
  const away = { address: "203.0.113.99" };
  await server.request("GET", "/nowhere", away);
  await server.request("POST", "/auth/refresh", { ...away, body: { refresh_token: "made-up" } });
  await server.request("POST", "/users/", { ...away, body: {} });
  await server.request("GET", "/admin/users", { ...away, token: alice.token });
  for (let count = 0; count < 6; count += 1) await server.request("GET", "/openapi.json", away);

  // What nobody has collected yet would belong to the minute in which that is done.
  await server.app.flushOverview();
  server.clock.advance(minute);
  const { points, sums, totals } = await overviewOf(server, token);
  assert.deepEqual(totals, { users: 2, disabled: 0, administrators: 1, living_sessions: 3 });
  const inMinute = points.at(-2);
  assert.ok(inMinute !== undefined);
  const { latency_p50_ms: p50, latency_p99_ms: p99, ...counts } = inMinute;
  assert.deepEqual(counts, {
    starts_at: "2026-01-15T12:05:00.000Z",
    sign_ups: 1,
    sign_ins: 1,
    wrong_passwords: 2,
    requests: 15,
    refusals: { ...none, route: 1, authenticate: 3, authorize: 1, validate: 1, limit: 2 },
    refreshes: { rotated: 0, retried: 0, overlapped: 0, duplicate: 0, stolen: 0, expired: 0, revoked: 0, unknown: 1 },
  });
  assert.ok(p50 !== null && p99 !== null && p50 <= p99);
  assert.equal(sums.requests, before.sums.requests + 15);
  assert.equal(sums.sign_ins, 2);
});

test("how the process stands now", async () => {
  const server = await createTestServer({ HASH_THREADS: "1", HASH_QUEUE: "7" });
  const { token } = await server.administrator();
  server.clock.advance(90_500);
  const { now } = await overviewOf(server, token);
  const { event_loop_delay_p50_ms: p50, event_loop_delay_p99_ms: p99, version, ...rest } = now;
  assert.ok(Number(p50) >= 0 && Number(p99) >= Number(p50));
  assert.match(String(version), /^\d+\.\d+\.\d+/);
  assert.deepEqual(rest, {
    hash_threads_busy: 0,
    hash_threads: 1,
    hash_queue_length: 0,
    hash_queue_max: 7,
    limiter_keys_held: 0,
    uptime_seconds: 90,
    mode: "development",
  });
});

test("the counters survive a restart, and those of several processes add up", async (t) => {
  const env = { DATABASE_URL: await sharedDatabase(t) };
  const clock = createTestClock();
  const one = await createTestServer(env, { clock });
  const two = await createTestServer(env, { clock });
  const admin = await one.administrator();
  const start = await overviewOf(one, admin.token, "?period=day");
  for (const [index, server] of [one, two, two].entries()) await server.signUp(`user${index}@example.com`);
  await two.app.flushOverview();
  const seen = await overviewOf(one, admin.token, "?period=day");
  assert.equal(seen.sums.sign_ups, 3, "its own that are not written, and the other's that are");
  await one.app.flushOverview();
  assert.equal((await overviewOf(one, admin.token)).sums.sign_ups, 3, "written, and counted no second time");
  await one.signUp("last@example.com");
  await one.close();

  clock.advance(3 * minute);
  const restarted = await createTestServer(env, { clock });
  const token = await restarted.logIn(admin.email, admin.password);
  for (const query of ["?period=hour", "?period=day"]) {
    const { sums, points } = await overviewOf(restarted, token, query);
    assert.equal(sums.sign_ups, 4, query);
    assert.equal(sums.sign_ins, start.sums.sign_ins + 1);
    assert.deepEqual(
      points.filter((point) => point.sign_ups > 0).map((point) => point.starts_at),
      ["2026-01-15T12:00:00.000Z"],
    );
  }
});

test("a day is told in quarters, and what is older is forgotten", async () => {
  const server = await createTestServer();
  const admin = await server.administrator();
  const signUpAndFlush = async (name: string): Promise<void> => {
    await server.signUp(`${name}@example.com`);
    await server.app.flushOverview();
  };
  await signUpAndFlush("first");
  server.clock.advance(90 * minute);
  await signUpAndFlush("second");
  let token = await server.logIn(admin.email, admin.password);
  const later = await overviewOf(server, token, "?period=day");
  assert.equal(later.points.length, 96);
  assert.equal(later.step_seconds, 900);
  assert.deepEqual(
    later.points.filter(({ sign_ups: signUps }) => signUps > 0).map(({ starts_at: at }) => at),
    ["2026-01-15T12:00:00.000Z", "2026-01-15T13:30:00.000Z"],
  );
  assert.equal((await overviewOf(server, token, "?period=hour")).sums.sign_ups, 1);

  const kept = async (minutes: 1 | 15): Promise<number[]> => {
    const query = server.platform.db
      .selectFrom("activity")
      .select("starts_at")
      .distinct()
      .where("minutes", "=", minutes);
    return (await query.orderBy("starts_at").execute()).map((row) => row.starts_at - Date.UTC(2026, 0, 15, 12));
  };
  server.clock.advance(3 * day);
  token = await server.logIn(admin.email, admin.password);
  assert.equal((await overviewOf(server, token, "?period=day")).sums.sign_ups, 0);
  const now = 3 * day + 90 * minute;
  for (let step = 0; step < 3; step += 1) await server.app.flushOverview();
  assert.deepEqual([await kept(1), await kept(15)], [[now], [now]]);
});

test("a database that is away loses no count, and no request waits for one", async () => {
  const server = await createTestServer();
  const { token } = await server.administrator();
  const { db } = server.platform;
  await server.signUp("one@example.com");
  await db.schema.alterTable("activity").renameTo("hidden").execute();
  await assert.rejects(server.app.flushOverview(), /activity/);
  await server.signUp("two@example.com");
  await assert.rejects(server.app.flushOverview(), /activity/);
  await db.schema.alterTable("hidden").renameTo("activity").execute();
  await server.app.flushOverview();
  assert.equal((await overviewOf(server, token)).sums.sign_ups, 2);
});

test("the settings are those that the command line shows, with every secret masked", async () => {
  const secret = "a secret key that nobody may see, of some length";
  const server = await createTestServer({ SECRET_KEY: secret, JWKS_MAX_AGE: "1m" });
  const { token } = await server.administrator();
  const { status, text, body } = await server.request("GET", "/admin/settings", { token });
  assert.equal(status, 200);
  assert.ok(!text.includes(secret));
  const items = body["items"] as Record<string, string>[];
  assert.deepEqual(items, server.platform.config.settings);
  const named = (name: string) => items.find((item) => item["name"] === name);
  assert.equal(named("SECRET_KEY")?.["value"], "********");
  assert.deepEqual([named("JWKS_MAX_AGE")?.["value"], named("JWKS_MAX_AGE")?.["default"]], ["1m", "5m"]);
  assert.deepEqual([named("JWKS_MAX_AGE")?.["origin"], named("PORT")?.["origin"]], ["environment", "default"]);
});
