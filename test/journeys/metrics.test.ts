import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { readConfig } from "../../src/config.ts";
import type { Mailer, MailOutcome } from "../../src/platform/mail/mailer.ts";
import { sendRaw } from "../support/raw-http.ts";
import { freePort, runTollgate, startServer } from "../support/server-process.ts";
import { sharedDatabase } from "../support/test-database.ts";
import { createTestServer, type TestServer } from "../support/test-server.ts";

const token = "metrics-token-0123456789";

async function metricsOf(server: TestServer): Promise<ReadonlyMap<string, number>> {
  const answer = await server.request("GET", "/metrics", { token });
  assert.equal(answer.status, 200, answer.text);
  assert.match(answer.headers["content-type"] ?? "", /^text\/plain; version=0\.0\.4/);
  assert.equal(answer.headers["cache-control"], "no-store");
  return seriesOf(answer.text);
}

function seriesOf(text: string): ReadonlyMap<string, number> {
  const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return new Map(lines.map((line) => [line.slice(0, line.lastIndexOf(" ")), Number(line.split(" ").at(-1))]));
}

test("without a port or a token there is no /metrics; with a token only for who has it", async () => {
  const closed = await createTestServer();
  const nowhere = await closed.request("GET", "/metrics", { token });
  assert.equal(`${nowhere.status} ${String(nowhere.body["code"])}`, "404 not-found");

  const server = await createTestServer({ METRICS_TOKEN: token });
  const refused = async (headers: Record<string, string | string[]>, url = "/metrics") => {
    const { status, body, headers: answered } = await server.request("GET", url, { headers });
    return `${status} ${String(body["code"])} ${answered["www-authenticate"] ?? ""}`;
  };
  assert.equal(await refused({}), "401 token-missing Bearer");
  assert.equal(await refused({}, `/metrics?access_token=${token}`), "401 token-missing Bearer");
  assert.equal(await refused({ authorization: `Basic ${token}` }), "401 token-missing Bearer");
  for (const wrong of [`${token}x`, token.slice(0, -1), token.toUpperCase(), "x"]) {
    assert.equal(await refused({ authorization: `Bearer ${wrong}` }), '401 token-invalid Bearer error="invalid_token"');
  }
  const admin = await server.administrator();
  assert.equal(
    await refused({ authorization: `Bearer ${admin.token}` }),
    '401 token-invalid Bearer error="invalid_token"',
    "no account opens it",
  );
  assert.ok((await metricsOf(server)).size > 50);
  const elsewhere = await server.request("GET", "/users/me", { token });
  assert.equal(elsewhere.body["code"], "token-invalid", "and it opens nothing else");
  const openApi = await server.request("GET", "/openapi.json");
  assert.ok(!openApi.text.includes('"/metrics"'));
});

test("requests are counted by route, status and the gate that decided; refreshes, hashes and the rest are there", async () => {
  const server = await createTestServer({ METRICS_TOKEN: token, LIMIT_API: "4/60s", EMAIL_VERIFICATION: "off" });
  const first = await server.request("POST", "/users/", { body: { email: "a@example.com", password: "secret-1" } });
  await server.request("POST", "/auth/login", { body: { email: "a@example.com", password: "wrong-one" } });
  await server.request("POST", "/auth/refresh", { body: { refresh_token: first.body["refresh_token"] } });
  await server.request("POST", "/auth/refresh", { body: { refresh_token: "nonsense" } });
  const own = Number(first.headers["location"]?.split("/").at(-1));
  for (const id of [own, own + 1000, own + 1001])
    await server.request("GET", `/users/${id}`, { token: String(first.body["token"]) });
  for (let guess = 0; guess < 6; guess += 1) await server.request("GET", `/guess/${guess}`, { address: "203.0.113.9" });
  await server.request("HEAD", "/health/live");
  const series = await metricsOf(server);
  const requests = [...series].filter(([name]) => name.startsWith("tollgate_requests_total"));
  assert.deepEqual(
    Object.fromEntries(requests),
    Object.fromEntries(
      (
        [
          ["POST", "/users/", 201, "none", 1],
          ["POST", "/auth/login", 401, "authenticate", 1],
          ["POST", "/auth/refresh", 200, "none", 1],
          ["POST", "/auth/refresh", 401, "authenticate", 1],
          ["GET", "/users/:id", 200, "none", 1],
          ["GET", "/users/:id", 404, "handle", 2],
          ["none", "none", 404, "route", 4],
          ["none", "none", 429, "limit", 2],
          ["GET", "/health/live", 200, "none", 1],
        ] as const
      ).map(([method, route, status, gate, count]) => [
        `tollgate_requests_total{method="${method}",route="${route}",status="${status}",refused_by="${gate}"}`,
        count,
      ]),
    ),
  );
  const expected = {
    'tollgate_refreshes_total{outcome="rotated"}': 1,
    'tollgate_refreshes_total{outcome="unknown"}': 1,
    'tollgate_refreshes_total{outcome="stolen"}': 0,
    tollgate_sign_ups_total: 1,
    tollgate_wrong_passwords_total: 1,
    tollgate_hash_running: 0,
    tollgate_hash_waiting: 0,
    tollgate_hashes_refused_total: 0,
    'tollgate_hash_seconds_count{task="hash"}': 1,
    'tollgate_hash_seconds_count{task="verify"}': 1,
    // The account, the one who guesses at paths, and who reads the metrics.
    'tollgate_limiter_keys{limit="api"}': 3,
    'tollgate_limiter_keys{limit="login-account"}': 0,
    tollgate_mail_outbox: 0,
    tollgate_mail_outbox_oldest_seconds: 0,
    'tollgate_request_duration_seconds_count{method="GET",route="/users/:id"}': 3,
    'tollgate_info{version="0.1.0",mode="development"}': 1,
  };
  for (const [name, value] of Object.entries(expected)) assert.equal(series.get(name), value, name);
  for (const name of [
    'tollgate_database_seconds_count{statement="select"}',
    'tollgate_database_seconds_count{statement="insert"}',
    'tollgate_database_seconds_count{statement="begin"}',
    'tollgate_database_seconds_count{statement="commit"}',
    'tollgate_database_seconds_count{statement="wait"}',
    "process_resident_memory_bytes",
    "nodejs_heap_size_used_bytes",
  ]) {
    assert.ok((series.get(name) ?? 0) > 0, name);
  }
  assert.ok(series.has('tollgate_event_loop_delay_seconds{quantile="0.99"}'));
});

test("no client can make up a label", async () => {
  const server = await createTestServer({ METRICS_TOKEN: token });
  const before = (await metricsOf(server)).size;
  const shapes = async (): Promise<void> => {
    for (let attempt = 0; attempt < 50; attempt += 1) {
      await server.request("GET", `/made-up/${attempt}?${attempt}`, { address: `203.0.113.${attempt}` });
      await server.request("GET", `/users/limited?client_id=made-up-${attempt}`);
      await server.request("GET", `/errors/made-up-${attempt}`);
      await server.request("POST", "/auth/login", { body: { email: `made-up-${attempt}@example.com`, password: "x" } });
    }
  };
  await shapes();
  const [once, text] = [(await metricsOf(server)).size, (await server.request("GET", "/metrics", { token })).text];
  assert.ok(once > before);
  assert.doesNotMatch(text, /made-up|203\.0\.113|example\.com/);
  await shapes();
  assert.equal((await metricsOf(server)).size, once, "more of the same are no more series");
});

test("the outbox shows how many mails wait, and for how long", async () => {
  let outcome: MailOutcome = { kind: "deferred", words: "450 not now" };
  const mailer: Mailer = { send: async () => outcome, inbox: undefined };
  const server = await createTestServer({ METRICS_TOKEN: token }, { mailer });
  await server.signUp("a@example.com");
  server.clock.advance(90_000);
  const waiting = await metricsOf(server);
  assert.equal(waiting.get("tollgate_mail_outbox"), 1);
  assert.equal(waiting.get("tollgate_mail_outbox_oldest_seconds"), 90);
  outcome = { kind: "accepted", words: "250 ok" };
  server.clock.advance(60_000);
  await server.app.deliverMail();
  const sent = await metricsOf(server);
  assert.equal(sent.get("tollgate_mail_outbox"), 0);
  assert.equal(sent.get("tollgate_mail_outbox_oldest_seconds"), 0);
  assert.equal(sent.get('tollgate_mails_total{step="delivered"}'), 1);
});

test("with the database away everything else is still told", async () => {
  const server = await createTestServer({ METRICS_TOKEN: token });
  server.platform.switches?.outage.begin(60_000);
  assert.equal((await server.request("GET", "/health/ready")).status, 503);
  const series = await metricsOf(server);
  assert.ok(!series.has("tollgate_mail_outbox"), "what cannot be read is left out");
  assert.equal(
    series.get('tollgate_requests_total{method="GET",route="/health/ready",status="503",refused_by="depend"}'),
    1,
  );
  server.platform.switches?.outage.end();
  assert.equal((await metricsOf(server)).get("tollgate_mail_outbox"), 0);
});

test("a port of their own: nothing else is there, and the page is nowhere else", async (t) => {
  const port = await freePort();
  const env = { METRICS_PORT: String(port), METRICS_TOKEN: token, DATABASE_URL: await sharedDatabase(t) };
  const server = await startServer(t, { env });
  const ask = (path: string, options: RequestInit = {}) => fetch(`http://127.0.0.1:${port}${path}`, options);
  const authorization = `Bearer ${token}`;
  assert.equal((await ask("/metrics")).status, 401);
  assert.equal((await ask("/metrics", { headers: { authorization: `Bearer ${token}x` } })).status, 401);
  assert.equal((await ask("/", { headers: { authorization } })).status, 404);
  assert.equal((await ask("/users/me", { headers: { authorization } })).status, 404);
  assert.equal((await ask("/metrics", { method: "POST", headers: { authorization } })).status, 405);
  assert.equal((await fetch(`${server.url}/metrics`, { headers: { authorization } })).status, 404);
  // What Node's parser or the router cannot read is counted, too.
  await sendRaw(server.port, "GET /%zz HTTP/1.1\r\nHost: localhost\r\n\r\n");
  await sendRaw(server.port, "nonsense\r\n\r\n");
  const answer = await ask("/metrics?x=1", { headers: { authorization } });
  assert.equal(answer.status, 200);
  const series = seriesOf(await answer.text());
  assert.equal(series.get('tollgate_requests_total{method="none",route="none",status="400",refused_by="route"}'), 2);
  assert.deepEqual(await server.stop(), { exitCode: 0 });
});

test("what is set wrongly is said in a sentence", async (t) => {
  const production = {
    TOLLGATE_MODE: "production",
    PUBLIC_URL: "https://accounts.example.com",
    SECRET_KEY: "k".repeat(48),
  };
  const faults = (env: Record<string, string>): readonly string[] => {
    const reading = readConfig({ ...production, ...env });
    return reading.ok ? [] : reading.faults;
  };
  assert.deepEqual(faults({}), []);
  assert.deepEqual(faults({ METRICS_PORT: "9464" }), [], "on loopback nobody else reaches it");
  assert.deepEqual(faults({ METRICS_PORT: "9464", HOST: "0.0.0.0", METRICS_TOKEN: token }), []);
  assert.deepEqual(faults({ METRICS_PORT: "9464", HOST: "0.0.0.0" }), [
    "METRICS_PORT is open to everybody who reaches HOST=0.0.0.0: set METRICS_TOKEN, too, to the output of: openssl rand -hex 32.",
  ]);
  assert.deepEqual(faults({ METRICS_PORT: "8000" }), [
    "METRICS_PORT must be another port than PORT=8000: write METRICS_PORT=9464.",
  ]);
  assert.deepEqual(faults({ METRICS_TOKEN: "short" }), [
    "METRICS_TOKEN must have 16 to 256 letters, digits and . _ ~ + / = -: write the output of: openssl rand -hex 32.",
  ]);
  const taken = await startServer(t, { env: { DATABASE_URL: await sharedDatabase(t) } });
  const refused = await runTollgate(["serve"], {
    DATABASE_URL: "sqlite::memory:",
    PORT: String(await freePort()),
    METRICS_PORT: String(taken.port),
  });
  assert.equal(refused.exitCode, 1);
  assert.equal(
    refused.stderr,
    `Port ${taken.port} on 127.0.0.1 is in use by another program: stop it, or set METRICS_PORT to a free one.\n`,
  );
});

test("every figure that the documents name is there", async () => {
  const server = await createTestServer({ METRICS_TOKEN: token });
  const { text } = await server.request("GET", "/metrics", { token });
  const page = readFileSync(new URL("../../docs/operate/metrics.md", import.meta.url), "utf8");
  const named = new Set([...page.matchAll(/`(tollgate_[a-z_]+)/g)].map(([, name = ""]) => name));
  const there = new Set([...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name = ""]) => name));
  const redisOnly = (name: string): boolean => /redis/.test(name);
  assert.deepEqual(
    [...named].filter((name) => !there.has(name) && !redisOnly(name)),
    [],
  );
  assert.deepEqual(
    [...there].filter((name) => name.startsWith("tollgate_") && !named.has(name)),
    [],
    "and the other way",
  );
});

const root = new URL("../../", import.meta.url);
const alertsText = readFileSync(new URL("deploy/prometheus/alerts.yaml", root), "utf8");

/** Names as PromQL has them, without the endings that a histogram adds. */
function namesIn(text: string): ReadonlySet<string> {
  const names = text.match(/\b(?:tollgate|process|nodejs)_[a-z_]+\b/g) ?? [];
  return new Set(names.map((name) => name.replace(/_(?:bucket|count|sum)$/, "")));
}

test("every figure of the dashboard, the alerts and the incident pages is there, with the labels asked for", async () => {
  // Redis need not be there: a server that is told of one has its figures.
  const server = await createTestServer({ METRICS_TOKEN: token, REDIS_URL: "redis://127.0.0.1:1" });
  const { text } = await server.request("GET", "/metrics", { token });
  const there = new Set([...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name = ""]) => name));
  const dashboard = readFileSync(new URL("deploy/grafana/tollgate.json", root), "utf8");
  const pages = readdirSync(new URL("docs/operate/incidents/", root)).map((name) =>
    readFileSync(new URL(`docs/operate/incidents/${name}`, root), "utf8"),
  );
  for (const [place, names] of Object.entries({
    dashboard: namesIn(dashboard),
    alerts: namesIn(alertsText),
    pages: namesIn(pages.join("\n")),
  })) {
    assert.ok(names.size > 8, place);
    assert.deepEqual(
      [...names].filter((name) => !there.has(name)),
      [],
      place,
    );
  }
  const { panels } = JSON.parse(dashboard) as { panels: { id: number; targets: { expr: string }[] }[] };
  assert.equal(new Set(panels.map(({ id }) => id)).size, panels.length);
  const labels: Readonly<Record<string, readonly string[]>> = {
    tollgate_requests_total: ["method", "route", "status", "refused_by"],
    tollgate_request_duration_seconds_bucket: ["le", "method", "route"],
    tollgate_database_seconds_bucket: ["le", "statement"],
    tollgate_hash_seconds_bucket: ["le", "task"],
    tollgate_redis_seconds_bucket: ["le", "script"],
    tollgate_limits_without_redis_total: ["limit", "counted"],
    tollgate_refreshes_total: ["outcome"],
    tollgate_mails_total: ["step"],
    tollgate_limiter_keys: ["limit"],
  };
  const queries = [...panels.flatMap(({ targets }) => targets.map(({ expr }) => expr)), ...alertsText.split("\n")];
  for (const query of queries) {
    const [, grouped] = /\bby \(([^)]*)\)/.exec(query) ?? [];
    const [name = ""] = /\btollgate_[a-z_]+/.exec(query.slice(query.indexOf("by ("))) ?? [];
    if (grouped === undefined) continue;
    for (const label of grouped.split(", ")) {
      assert.ok(label === "instance" || labels[name]?.includes(label), `${label} in ${query}`);
    }
  }
});

test("every alert has its page, and every page its alert", () => {
  const rules = alertsText.split(/^ {6}- alert: /m).slice(1);
  const pages = readdirSync(new URL("docs/operate/incidents/", root));
  const linked = rules.map((rule) => {
    const [name = ""] = rule.split("\n");
    const expression = /^ {8}expr: \|-\n {10}(.*)$/m.exec(rule)?.[1] ?? "";
    const page = /^ {10}runbook_url: docs\/operate\/incidents\/(\S+)$/m.exec(rule)?.[1] ?? "";
    assert.match(rule, /^ {10}severity: (?:critical|warning)$/m, name);
    const text = readFileSync(new URL(`docs/operate/incidents/${page}`, root), "utf8");
    assert.ok(text.includes(`Alert \`${name}\`: \`${expression}\``), `${page} quotes another alert than ${name}`);
    assert.match(text, /\*\*Who feels it\.\*\*[\s\S]*\*\*What to do\.\*\*\n\n1\. /, page);
    return page;
  });
  assert.deepEqual(linked.toSorted(), pages.toSorted());
});
