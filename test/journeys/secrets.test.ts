import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { sendRaw } from "../support/raw-http.ts";
import { readMail } from "../support/mail-reading.ts";
import { runTollgate, startServer, type ServerProcess } from "../support/server-process.ts";
import { sharedDatabase, textOf } from "../support/test-database.ts";
import { createTestServer } from "../support/test-server.ts";

test("no secret of any flow is in a log, an error or the database", async (t) => {
  // ASVS 16.2.5, 16.3.1–16.3.4 (requirement 82): canaries sent through every flow, then looked for everywhere.
  const database = await sharedDatabase(t);
  const server = await startServer(t, {
    env: { LOG_LEVEL: "trace", SECRET_KEY: "canary-secret-key-0123456789abcdef", DATABASE_URL: database },
  });
  const answers: string[] = [];
  const send = async (
    method: string,
    path: string,
    options: { body?: unknown; token?: string; headers?: Record<string, string> } = {},
  ) => {
    const response = await fetch(server.url + path, {
      method,
      headers: {
        ...(options.body === undefined ? {} : { "content-type": "application/json" }),
        ...(options.token === undefined ? {} : { authorization: `Bearer ${options.token}` }),
        ...options.headers,
      },
      ...(options.body === undefined
        ? {}
        : { body: typeof options.body === "string" ? options.body : JSON.stringify(options.body) }),
    });
    const text = await response.text();
    answers.push(text);
    return text;
  };
  const email = "alice@example.com";
  const tokens = [await send("POST", "/users/", { body: { email, password: "canary-first-password" } })].map(
    (text) => (JSON.parse(text) as { token: string }).token,
  );
  const token = tokens[0] ?? "";
  answers.length = 0; // That answer is where the token belongs.
  await send("POST", "/auth/login", { body: { email, password: "canary-wrong-password" } });
  await send("POST", "/auth/reauthenticate", { token, body: { password: "canary-first-password" } });
  await send("PUT", "/users/me/password", {
    token,
    body: { current_password: "canary-first-password", new_password: "canary-second-password" },
  });
  await send("PUT", "/users/me/password", {
    token,
    body: { current_password: "canary-wrong-password", new_password: "canary-third-password" },
  });
  await send("POST", "/auth/login", { body: `{"email":"${email}","password":"canary-broken` });
  await send("POST", "/auth/login", {
    body: { email, password: ["canary-list-password"], extra: "canary-extra-member" },
  });
  await send("GET", `/users/me?access_token=${token}&password=canary-query-password`);
  await send("GET", "/users/me", { token: `${token}x` });
  await send("GET", "/nowhere?token=canary-query-password", { headers: { cookie: "canary-cookie" } });
  const login = JSON.stringify({ email, password: "canary-second-password" });
  const agent = "canary-agent \u009b31m";
  const [raw] = await sendRaw(
    server.port,
    Buffer.from(
      `POST /auth/login HTTP/1.1\r\nHost: localhost\r\nUser-Agent: ${agent}\r\nContent-Type: application/json\r\nContent-Length: ${login.length}\r\n\r\n${login}`,
      "latin1",
    ),
  );
  assert.equal(raw?.status, 200);
  await server.stop();

  const places = {
    "the log": server.output(),
    "an answer": answers.join("\n"),
    "the database": await textOf(database),
  };
  for (const [place, text] of Object.entries(places)) {
    assert.ok(text.length > 100, place);
    assert.doesNotMatch(text, /canary-(?!agent)/, `a canary is in ${place}`);
    assert.ok(!text.includes(token.split(".")[2] ?? "?"), `a token is in ${place}`);
  }
  // CR, LF and escape sequences of a terminal are neutralised (ASVS 16.4.1).
  assert.ok(places["the database"].includes("canary-agent"), "the user agent of a session is kept");
  assert.doesNotMatch(places["the log"] + Buffer.from(places["the database"], "latin1").toString(), /\u009b31m/);
});

const metricsToken = "canary-metrics-token-0123456789";

/** The members of bodies that hold a secret, whoever sends them. */
const secretMembers: ReadonlySet<string> = new Set(
  "password current_password new_password token refresh_token device_token code flow verification_flow".split(" "),
);

type Exchange = {
  readonly status: number;
  readonly body: Record<string, unknown>;
  readonly requestId: string;
  readonly cookies: readonly string[];
};

/** A client that remembers each secret that it sends or is given, and each answer that has no business holding one. */
function createRememberingClient({ url }: Pick<ServerProcess, "url">) {
  const secrets = new Set<string>(["canary-secret-key-0123456789abcdef", metricsToken]);
  const shown: string[] = [];
  const remember = (body: Record<string, unknown>): void => {
    for (const [name, value] of Object.entries(body)) {
      if (secretMembers.has(name) && typeof value === "string") secrets.add(value);
    }
  };
  const send = async (
    method: string,
    path: string,
    {
      body,
      token,
      headers = {},
    }: { body?: Record<string, unknown>; token?: string; headers?: Record<string, string> } = {},
  ): Promise<Exchange> => {
    if (body) remember(body);
    if (token) secrets.add(token);
    const response = await fetch(url + path, {
      method,
      headers: {
        ...(body ? { "content-type": "application/json" } : {}),
        ...(token ? { authorization: `Bearer ${token}` } : {}),
        ...headers,
      },
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
    const text = await response.text();
    const answer = text.startsWith("{") ? (JSON.parse(text) as Record<string, unknown>) : {};
    if (response.status < 400) remember(answer);
    const cookies = response.headers.getSetCookie().map((cookie) => cookie.split(";", 1)[0] ?? "");
    for (const cookie of cookies) secrets.add(cookie.split("=")[1] ?? "");
    const isAnswerWithSecret = response.status < 300 && Object.keys(answer).some((name) => secretMembers.has(name));
    if (!isAnswerWithSecret) shown.push(text);
    return { status: response.status, body: answer, requestId: response.headers.get("x-request-id") ?? "", cookies };
  };
  return { secrets, shown, send };
}

type Client = ReturnType<typeof createRememberingClient>;

/** The newest mail with this page behind its button; waits for the server to send it. */
async function mailFor({ url }: Pick<ServerProcess, "url">, client: Client, page: string) {
  for (;;) {
    const response = await fetch(`${url}/dev/inbox`);
    assert.equal(response.status, 200);
    const { items } = (await response.json()) as {
      items: { to: string; subject: string; text: string; html: string }[];
    };
    const mail = items.map(readMail).find((one) => one.page === page);
    if (mail) {
      client.secrets.add(mail.token).add(mail.code).add(mail.code.replace("-", ""));
      await fetch(`${url}/dev/inbox`, { method: "DELETE" });
      return mail;
    }
  }
}

test("no secret of the flows by mail, of browsers, of administrators or of retries is anywhere it could be read", async (t) => {
  // ASVS 16.2.5 (requirement 82): each secret is looked for in the log of every level, the metrics, the database with
  // its write-ahead log, the refusals and what is told about them.
  const database = await sharedDatabase(t);
  const env = {
    LOG_LEVEL: "trace",
    SECRET_KEY: "canary-secret-key-0123456789abcdef",
    METRICS_TOKEN: metricsToken,
    SIGN_IN_BY_MAIL: "on",
    LIMIT_API: "off",
    DATABASE_URL: database,
  };
  const server = await startServer(t, { env });
  const client = createRememberingClient(server);
  const { send } = client;
  const refused: string[] = [];
  const refusal = async (...request: Parameters<typeof send>): Promise<void> => {
    const { status, requestId } = await send(...request);
    assert.ok(status >= 400 && status < 500, `${request[0]} ${request[1]} ${status}`);
    refused.push(requestId);
  };
  const email = "alice@example.com";
  const first = "canary-password-1";
  const idempotency = { "idempotency-key": "canary-idempotency-key-1" };

  // Sign-up, twice with a key; the address confirmed by code, and the link tried afterwards.
  const signUp = { email, password: first };
  const made = await send("POST", "/users/", { body: signUp, headers: idempotency });
  assert.deepEqual(
    await send("POST", "/users/", { body: signUp, headers: idempotency }).then(({ status }) => status),
    201,
  );
  const confirmation = await mailFor(server, client, "/mail/verify");
  const flow = String(made.body["verification_flow"]);
  await refusal("POST", "/auth/verify-email", { body: { flow, code: "AAAA-AAAA" } });
  assert.equal((await send("POST", "/auth/verify-email", { body: { flow, code: confirmation.code } })).status, 204);
  await refusal("POST", "/auth/verify-email", { body: { token: confirmation.token } });

  // Refresh, its retry with a key, and a theft.
  const refresh_token = String(made.body["refresh_token"]);
  const retry = { body: { refresh_token }, headers: { "idempotency-key": "canary-idempotency-key-2" } };
  const refreshed = await send("POST", "/auth/refresh", retry);
  assert.equal(refreshed.status, 200);
  assert.equal((await send("POST", "/auth/refresh", retry)).status, 200);
  await refusal("POST", "/auth/refresh", { body: { refresh_token: "canary-refresh-token" } });

  // A known device, wrong guesses, and a changed password.
  const known = { email, password: first, device_token: String(made.body["device_token"]) };
  const login = await send("POST", "/auth/login", { body: known });
  const token = String(login.body["token"]);
  await refusal("POST", "/auth/login", { body: { ...known, password: "canary-wrong-password" } });
  await refusal("POST", "/auth/reauthenticate", { token, body: { password: "canary-wrong-password" } });
  const change = { current_password: first, new_password: "canary-password-2" };
  assert.equal((await send("PUT", "/users/me/password", { token, body: change })).status, 204);

  // Forgotten, by link; signed in by code; another address, and the way back.
  await send("POST", "/auth/forgot-password", { body: { email } });
  const reset = await mailFor(server, client, "/mail/reset");
  const next = { token: reset.token, new_password: "canary-password-3" };
  assert.ok((await send("POST", "/auth/reset-password", { body: next })).status < 300);
  await refusal("POST", "/auth/reset-password", { body: next });
  const asked = await send("POST", "/auth/magic", { body: { email } });
  const magic = await mailFor(server, client, "/mail/sign-in");
  const byCode = { flow: String(asked.body["flow"]), code: magic.code };
  const signedIn = await send("POST", "/auth/magic/complete", { body: byCode });
  assert.equal(signedIn.status, 200);
  await refusal("POST", "/auth/magic/complete", { body: byCode });
  const another = { token: String(signedIn.body["token"]), body: { email: "alice@new.example" } };
  assert.ok((await send("POST", "/users/me/email", another)).status < 300);
  const question = await mailFor(server, client, "/mail/change-email");
  assert.equal((await send("POST", "/auth/change-email", { body: { token: question.token } })).status, 204);
  const undo = await mailFor(server, client, "/mail/undo-email-change");
  assert.ok((await send("POST", "/auth/undo-email-change", { body: { token: undo.token } })).status < 300);
  await refusal("POST", "/auth/not-me", { body: { token: "canary-not-me-token" } });

  // A browser: the refresh token in a cookie.
  const origin = { "sec-fetch-site": "same-origin", origin: server.url };
  const browser = { email: "bob@example.com", password: "canary-password-4", delivery: "cookie" };
  const inBrowser = await send("POST", "/users/", { body: browser, headers: origin });
  assert.equal(inBrowser.status, 201);
  const cookie = inBrowser.cookies.join("; ");
  const byCookie = { body: { delivery: "cookie" }, headers: { ...origin, cookie } };
  assert.equal((await send("POST", "/auth/refresh", byCookie)).status, 200);
  await refusal("GET", "/users/me", { headers: { cookie: "canary-cookie=canary-cookie" } });

  // An administrator, who makes Bob change his password, and looks at everything.
  const admin = await runTollgate(["admin", "create", "admin@example.com"], { ...env, PORT: String(server.port) });
  assert.equal(admin.exitCode, 0, admin.stderr);
  const password = admin.stdout.trim().split("\n").at(-1) ?? "";
  const adminToken = String(
    (await send("POST", "/auth/login", { body: { email: "admin@example.com", password } })).body["token"],
  );
  const list = await send("GET", "/admin/users?q=bob", { token: adminToken });
  const bob = (list.body["items"] as { id: number }[])[0]?.id ?? 0;
  const forced = { token: adminToken, body: { password_change_required: true } };
  assert.equal((await send("PATCH", `/admin/users/${bob}`, forced)).status, 200);
  await refusal("POST", "/auth/login", { body: { email: "bob@example.com", password: "canary-password-4" } });
  const replaced = { email: "bob@example.com", password: "canary-password-4", new_password: "canary-password-5" };
  assert.equal((await send("POST", "/auth/login", { body: replaced })).status, 200);
  await refusal("GET", "/metrics", { token: "canary-wrong-metrics-token" });

  const told: string[] = [];
  for (const path of ["decisions?limit=100", "events", "mail", "settings", "limits/login-account/keys", "overview"]) {
    const response = await fetch(`${server.url}/admin/${path}`, { headers: { authorization: `Bearer ${adminToken}` } });
    assert.equal(response.status, 200, path);
    told.push(await response.text());
  }
  const why: string[] = [];
  for (const requestId of refused.slice(0, 1)) {
    const { exitCode, stdout } = await runTollgate(["why", requestId], { ...env, PORT: String(server.port) });
    // With PostgreSQL the server keeps its door in a data directory that this command does not look into.
    if (database.startsWith("sqlite")) assert.equal(exitCode, 0);
    why.push(stdout);
  }
  const metrics = await fetch(`${server.url}/metrics`, { headers: { authorization: `Bearer ${metricsToken}` } });
  assert.equal(metrics.status, 200);
  const places = {
    "the refusals": client.shown.join("\n"),
    "what administrators see": told.join("\n"),
    "what tollgate why tells": why.join("\n"),
    "the metrics": await metrics.text(),
    "the database while it is open": await textOf(database),
    "the log": server.output(),
  };
  assert.ok(client.secrets.size > 25, String(client.secrets.size));
  for (const [place, text] of Object.entries(places)) {
    for (const secret of client.secrets) {
      if (secret.length < 8) continue;
      for (const form of [secret, encodeURIComponent(secret), Buffer.from(secret).toString("base64url")]) {
        assert.ok(!text.includes(form), `${secret} is in ${place}`);
      }
    }
    assert.doesNotMatch(text, /canary-/, `a canary is in ${place}`);
  }
  for (const requestId of refused) assert.ok(places["the log"].includes(requestId), "each refusal has its line");
  await server.stop();
});

/** From lists of naughty strings: what breaks lines, terminals, queries, templates, paths and pages. */
const naughtyAgents: readonly string[] = [
  "a\r\nset-cookie: x=1",
  "line\nlevel=60 message=forged",
  "\u001b[2J\u001b[31mred",
  "\u009b31m",
  "bell\u0007 back\u0008 nul\u0000 delete\u007f",
  "\u202egnp.exe",
  "\u2066\u2067\u2069",
  "zero\u200bwidth\ufeff",
  "\u2028\u2029",
  "\ud800 alone",
  "<script>alert(1)</script>",
  `'; drop table accounts; --`,
  "${jndi:ldap://example.com/a}",
  "{{7*7}} #{7*7} %{7*7}",
  "%s%n%x%0d%0a",
  "../../../../etc/passwd",
  "$(touch /tmp/x) `id`",
  "__proto__",
  "Ω≈ç√∫˜µ≤≥÷ 👩‍👩‍👧 Z̮̞̠͙͔ͅḀ̗̞",
  "x".repeat(4_000),
  "",
];

test("a user agent of any kind begins no line and moves no cursor, wherever it is shown", async () => {
  // ASVS 16.4.1 (requirement 82)
  const server = await createTestServer();
  const email = "alice@example.com";
  const { token } = await server.signUp(email, "correct horse");
  for (const agent of naughtyAgents) {
    const headers = { "user-agent": agent };
    const { status } = await server.request("POST", "/auth/login", {
      body: { email, password: "correct horse" },
      headers,
    });
    assert.equal(status, 200, agent);
  }
  const sessions = await server.request("GET", "/users/me/sessions", { token });
  const events = await server.request("GET", "/users/me/events", { token });
  assert.equal(sessions.status, 200);
  const agents = [...(sessions.body["items"] as { user_agent: string | null }[])].map(
    ({ user_agent }) => user_agent ?? "",
  );
  assert.equal(agents.length, naughtyAgents.length + 1);
  const unfit = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u;
  for (const agent of agents) {
    assert.doesNotMatch(agent, unfit);
    assert.ok(agent.length <= 256);
  }
  assert.ok(agents.includes("<script>alert(1)</script>"), "what harms nobody is kept as it is");
  assert.doesNotMatch(JSON.stringify(JSON.parse(events.text)), unfit);
  for (const { subject, text, html } of await server.mails()) {
    assert.doesNotMatch(subject, unfit);
    assert.doesNotMatch(text.replaceAll("\n", ""), unfit);
    assert.ok(!html.includes("<script>"));
  }
});

test("no target of a request begins a line or moves a cursor, in either form of the log", async (t) => {
  // ASVS 16.4.1 (requirement 82)
  const production = {
    TOLLGATE_MODE: "production",
    PUBLIC_URL: "https://accounts.example.com",
    SECRET_KEY: "k".repeat(48),
    ARGON2_MEMORY_KIB: "19456",
    ARGON2_PASSES: "2",
  };
  const targets = ["/\u009b31m", "/%0d%0alevel=60", "/%1b[31m", "/\u0085next", "/\u00ad", "/?\u009b31m"];
  for (const mode of [{}, production]) {
    const server = await startServer(t, { env: { ...mode, LOG_LEVEL: "info", DATABASE_URL: await sharedDatabase(t) } });
    const statuses: (number | undefined)[] = [];
    for (const target of targets) {
      const bytes = Buffer.from(`GET ${target} HTTP/1.1\r\nHost: localhost\r\n\r\n`, "latin1");
      const [answer] = await sendRaw(server.port, bytes);
      statuses.push(answer?.status);
      assert.doesNotMatch(answer?.body ?? "", /[\u0080-\u009f]/);
    }
    // A client that leaves in the middle of its body has its line, too.
    const begun = "POST /auth/login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n";
    await sendRaw(server.port, `${begun}Content-Length: 50\r\n\r\n{`, { waitMilliseconds: 200 });
    while (!server.output().includes("client-left")) await pause(20);
    await server.stop();
    const lines = server.output().trimEnd().split("\n");
    const ours = lines.filter((line) => /%0d%0alevel=60|%1b\[31m/.test(line));
    assert.equal(ours.length, 2, server.output());
    assert.equal(statuses.length, targets.length);
    // oxlint-disable-next-line no-control-regex -- it is what must not be there.
    assert.doesNotMatch(server.output(), /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u00ad]/);
    if ("TOLLGATE_MODE" in mode) {
      const logged = lines
        .filter((line) => line.startsWith("{"))
        .map((line) => JSON.parse(line) as Record<string, unknown>);
      const requests = logged.filter(({ message }) => message === "request");
      assert.equal(requests.length, targets.length + 1, "one line for each request");
      for (const line of requests) {
        for (const member of ["request_id", "status", "gate", "code"]) assert.ok(member in line, member);
      }
    }
  }
});
