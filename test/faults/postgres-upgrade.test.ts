import assert from "node:assert/strict";
import { query, testWithPostgres } from "../support/postgres-cluster.ts";
import { startServer } from "../support/server-process.ts";

const testOnPostgres = testWithPostgres();

testOnPostgres(
  "an old version beside a new one, which adds to the tables, serves on without a fault",
  async (t, cluster) => {
    // X22: what is prepared on its connections is prepared anew.
    const url = await cluster.makeDatabase();
    const limits = ["SIGN_UP", "LOGIN_ADDRESS", "LOGIN_ACCOUNT", "REFRESH", "API"].map((name) => [
      `LIMIT_${name}`,
      "off",
    ]);
    const server = await startServer(t, {
      env: { ...Object.fromEntries(limits), DATABASE_URL: url, SECRET_KEY: "0123456789abcdef0123456789abcdef" },
    });
    const post = async (path: string, body: unknown): Promise<Record<string, unknown>> => {
      const headers = { "content-type": "application/json" };
      const response = await fetch(server.url + path, { method: "POST", headers, body: JSON.stringify(body) });
      const text = await response.text();
      assert.ok(response.ok, `${path}: ${response.status} ${text}`);
      return JSON.parse(text) as Record<string, unknown>;
    };
    const { token } = await post("/users/", { email: "alice@example.com", password: "password" });
    let [isOver, requests] = [false, 0];
    const readers = Array.from({ length: 8 }, async () => {
      for (; !isOver; requests += 1) {
        const response = await fetch(`${server.url}/users/me`, {
          headers: { authorization: `Bearer ${String(token)}` },
        });
        const text = await response.text();
        assert.equal(response.status, 200, text);
      }
    });
    const refresher = (async () => {
      let { refresh_token: last } = await post("/auth/login", { email: "alice@example.com", password: "password" });
      while (!isOver) ({ refresh_token: last } = await post("/auth/refresh", { refresh_token: last }));
    })();
    for (const change of [
      "alter table accounts add column colour text not null default 'red'",
      "alter table sessions add column colour text",
      "create table colours (name text primary key)",
      "create index accounts_colour on accounts (colour)",
      "alter table accounts add column shape text",
    ]) {
      await query(url, change);
      for (const before = requests; requests < before + 50;) await new Promise((resolve) => setImmediate(resolve));
    }
    isOver = true;
    await Promise.all([...readers, refresher]);
  },
);
