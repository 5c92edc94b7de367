/** What happens when PostgreSQL is killed, hangs, loses an answer or hands over to its standby: X6, X7, X8. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import { once } from "node:events";
import type { TestContext } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { createCluster, findPostgres, query, testWithPostgres } from "../support/postgres-cluster.ts";
import { startServer, type ServerProcess } from "../support/server-process.ts";

const poolMax = 5;
const env = {
  SECRET_KEY: "0123456789abcdef0123456789abcdef",
  DATABASE_POOL: String(poolMax),
  LIMIT_SIGN_UP: "off",
  LIMIT_API: "off",
  LIMIT_LOGIN_ADDRESS: "off",
};
/** pg by itself waits for ever; a bound that a slow machine keeps, too. */
const answeredMillisecondsMax = 8_000;
const recoveredMillisecondsMax = 30_000;

type Answer = { readonly status: number; readonly body: Record<string, unknown>; readonly milliseconds: number };
type Sending = { readonly token?: string; readonly key?: string; readonly body?: unknown };

async function ask(
  { url }: Pick<ServerProcess, "url">,
  method: string,
  path: string,
  { token, key, body }: Sending = {},
): Promise<Answer> {
  const before = performance.now();
  const response = await fetch(url + path, {
    method,
    headers: {
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(key === undefined ? {} : { "idempotency-key": key }),
      ...(body === undefined ? {} : { "content-type": "application/json" }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  const milliseconds = performance.now() - before;
  assert.ok(milliseconds < answeredMillisecondsMax, `${method} ${path} took ${milliseconds} ms`);
  if (response.status === 503) assert.match(response.headers.get("retry-after") ?? "", /^[1-9]\d*$/);
  return { status: response.status, body: text === "" ? {} : JSON.parse(text), milliseconds };
}

const signUp = (server: Pick<ServerProcess, "url">, email: string, key?: string): Promise<Answer> =>
  ask(server, "POST", "/users/", { body: { email, password: "password" }, ...(key === undefined ? {} : { key }) });

async function assertAway(server: ServerProcess, token: string): Promise<void> {
  const away = async (method: string, path: string, sending?: Sending) => {
    const { status, body } = await ask(server, method, path, sending);
    assert.deepEqual(
      { status, code: body["code"] },
      { status: 503, code: "database-unavailable" },
      `${method} ${path}`,
    );
  };
  await away("POST", "/users/", { body: { email: "new@example.com", password: "password" } });
  await away("GET", "/users/me", { token });
  // V30: what could not be written is never said to be done.
  await away("POST", "/auth/logout", { token });
  assert.equal((await ask(server, "GET", "/health/live")).status, 200);
  assert.equal((await ask(server, "GET", "/.well-known/jwks.json")).status, 200);
  assert.equal((await ask(server, "GET", "/users/limited?client_id=a")).status, 200);
  const ready = await ask(server, "GET", "/health/ready");
  assert.equal(ready.status, 503);
  assert.deepEqual(ready.body["failing"], ["database"]);
}

async function waitUntilReady(server: Pick<ServerProcess, "url">): Promise<void> {
  for (const before = performance.now(); performance.now() - before < recoveredMillisecondsMax; await pause(50)) {
    if ((await ask(server, "GET", "/health/ready")).status === 200) return;
  }
  assert.fail("it did not come back by itself");
}

function residentMebibytes({ process: { pid } }: ServerProcess): number {
  return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) / 1024;
}

const testOnPostgres = testWithPostgres();

testOnPostgres(
  "killed, it is a 503 at once, and comes back without a restart and without a leak",
  async (t, cluster) => {
    // X6
    const server = await startServer(t, { env: { ...env, DATABASE_URL: await cluster.makeDatabase() } });
    const token = String((await signUp(server, "alice@example.com")).body["token"]);
    for (let round = 0; round < 2; round += 1) {
      await cluster.kill();
      await assertAway(server, token);
      await Promise.all(Array.from({ length: 50 }, () => ask(server, "GET", "/users/me", { token })));
      await cluster.start();
      await waitUntilReady(server);
      assert.equal((await ask(server, "GET", "/users/me", { token })).status, 200);
      assert.equal((await signUp(server, `round-${round}@example.com`)).status, 201);
    }
    assert.equal((await signUp(server, "new@example.com")).status, 201, "of the refused sign-ups nothing was left");
    const answers = await Promise.all(Array.from({ length: 50 }, () => ask(server, "GET", "/users/me", { token })));
    assert.ok(answers.every(({ status }) => status === 200));
    assert.ok((await cluster.sessions()) <= poolMax, "no connection was leaked");
    assert.equal((await ask(server, "POST", "/auth/logout", { token })).status, 204);
    assert.equal(server.process.exitCode, null);
    assert.doesNotMatch(server.output(), /nobody looked|reached nobody/);
  },
);

testOnPostgres(
  "hanging, it costs a bounded wait, then nobody waits at all; live and memory stay",
  async (t, cluster) => {
    // X7
    const server = await startServer(t, { env: { ...env, DATABASE_URL: await cluster.makeDatabase() } });
    const token = String((await signUp(server, "alice@example.com")).body["token"]);
    await Promise.all(Array.from({ length: 20 }, () => ask(server, "GET", "/users/me", { token })));
    const before = residentMebibytes(server);
    const thaw = cluster.freeze("everything");
    try {
      const flood = await Promise.all(Array.from({ length: 500 }, () => ask(server, "GET", "/users/me", { token })));
      assert.deepEqual([...new Set(flood.map(({ status }) => status))], [503]);
      const times = flood.map(({ milliseconds }) => milliseconds).sort((a, b) => a - b);
      t.diagnostic(`503 after ${times[0]?.toFixed(0)} to ${times.at(-1)?.toFixed(0)} ms`);
      // At most one for each place of the pool must try; the others are told at once.
      const late = await Promise.all(Array.from({ length: 100 }, () => ask(server, "GET", "/users/me", { token })));
      const told = late.filter(({ milliseconds }) => milliseconds < (times.at(-1) ?? 0) / 2).length;
      assert.ok(told >= 80, `${told} of 100 were told in less than half the time of the first who waited`);
      await assertAway(server, token);
      assert.ok(residentMebibytes(server) - before < 100, "nothing piles up");
    } finally {
      thaw();
    }
    await waitUntilReady(server);
    assert.equal((await ask(server, "GET", "/users/me", { token })).status, 200);
    assert.ok((await cluster.sessions()) <= poolMax);
  },
);

testOnPostgres("when only its old sessions hang, new ones take their place", async (t, cluster) => {
  const server = await startServer(t, { env: { ...env, DATABASE_URL: await cluster.makeDatabase() } });
  const token = String((await signUp(server, "alice@example.com")).body["token"]);
  await Promise.all(Array.from({ length: 20 }, () => ask(server, "GET", "/users/me", { token })));
  const thaw = cluster.freeze("backends");
  await waitUntilReady(server);
  assert.equal((await ask(server, "GET", "/users/me", { token })).status, 200);
  thaw();
  assert.equal((await signUp(server, "bob@example.com")).status, 201);
});

/** A port that leads to a PostgreSQL server, and can be led elsewhere or lose an answer. */
async function createRelay(t: TestContext, firstSocket: string) {
  let target = firstSocket;
  let losing: RegExp | undefined;
  const open = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = connect(target);
    for (const socket of [client, upstream]) {
      open.add(socket);
      socket.on("error", () => undefined).on("close", () => open.delete(socket));
    }
    let isLost = false;
    client.on("data", (bytes: Buffer) => {
      isLost ||= losing?.test(bytes.toString("latin1")) === true;
      upstream.write(bytes);
    });
    upstream.on("data", (bytes: Buffer) => {
      if (!isLost) return client.write(bytes);
      losing = undefined;
      return client.destroy();
    });
    client.on("close", () => upstream.destroy());
    upstream.on("close", () => client.destroy());
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.close();
    for (const socket of open) socket.destroy();
  });
  return {
    port: (server.address() as AddressInfo).port,
    leadTo: (socket: string) => {
      target = socket;
    },
    /** The next message like this reaches the server, and its answer nobody. */
    loseAnswerTo: (message: RegExp) => {
      losing = message;
    },
  };
}

testOnPostgres(
  "a commit whose answer is lost is a 503, and asking again with the same key finds it",
  async (t, cluster) => {
    // X8: whether it was kept is unknown to the server, so it does not try again by itself.
    const url = await cluster.makeDatabase();
    const relay = await createRelay(t, cluster.socket);
    const database = `postgres://tollgate@127.0.0.1:${relay.port}${new URL(url).pathname}`;
    const server = await startServer(t, { env: { ...env, DATABASE_URL: database } });
    await signUp(server, "first@example.com");
    relay.loseAnswerTo(/^Q....commit\0/s);
    const lost = await signUp(server, "alice@example.com", "key-1");
    assert.equal(lost.status, 503);
    const again = await signUp(server, "alice@example.com", "key-1");
    assert.equal(again.status, 201);
    assert.equal((await ask(server, "GET", "/users/me", { token: String(again.body["token"]) })).status, 200);
    const [row] = await query<{ n: number }>(url, "select count(*)::int as n from accounts where email like 'alice%'");
    assert.equal(row?.n, 1);
  },
);

testOnPostgres(
  "a fail-over to a synchronous standby loses nothing that was acknowledged, and nobody restarts",
  async (t, primary) => {
    // X8
    const url = await primary.makeDatabase();
    const standby = await createCluster(findPostgres() ?? "", { standbyOf: primary });
    t.after(() => standby.stop());
    await query(primary.url("postgres"), "alter system set synchronous_standby_names = '*'");
    await query(primary.url("postgres"), "select pg_reload_conf()");
    t.after(() =>
      query(primary.url("postgres"), "alter system reset synchronous_standby_names").catch(() => undefined),
    );
    const relay = await createRelay(t, primary.socket);
    const database = `postgres://tollgate@127.0.0.1:${relay.port}${new URL(url).pathname}`;
    const server = await startServer(t, { env: { ...env, DATABASE_URL: database } });
    const acknowledged: string[] = [];
    let isOver = false;
    const lanes = Array.from({ length: 4 }, async (_, lane) => {
      for (let index = 0; !isOver; index += 1) {
        const email = `r${lane}-${index}@example.com`;
        const { status } = await signUp(server, email);
        if (status === 201) acknowledged.push(email);
        else assert.equal(status, 503);
      }
    });
    while (acknowledged.length < 20) await pause(20);
    await primary.kill();
    await standby.promote();
    relay.leadTo(standby.socket);
    const before = acknowledged.length;
    for (const from = performance.now(); acknowledged.length < before + 5; await pause(20)) {
      assert.ok(performance.now() - from < recoveredMillisecondsMax, "it goes on with the standby");
    }
    isOver = true;
    await Promise.all(lanes);
    const kept = await query<{ email: string }>(
      standby.url(new URL(url).pathname.slice(1)),
      "select email from accounts",
    );
    const emails = new Set(kept.map(({ email }) => email));
    assert.deepEqual(
      acknowledged.filter((email) => !emails.has(email)),
      [],
    );
    assert.equal(server.process.exitCode, null);
  },
);
