import assert from "node:assert/strict";
import { test } from "node:test";
import { sendRaw } from "../support/raw-http.ts";
import { startServer } from "../support/server-process.ts";
import { sharedDatabase, textOf } from "../support/test-database.ts";

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
