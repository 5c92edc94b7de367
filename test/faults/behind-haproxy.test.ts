import assert from "node:assert/strict";
import { once } from "node:events";
import { request } from "node:http";
import { describe, test } from "node:test";
import { pino } from "pino";
import { startHaproxy, withoutHaproxy } from "../support/haproxy.ts";
import { freePort, runTollgate, startServer } from "../support/server-process.ts";
import { assertNoSmuggling } from "../support/smuggling.ts";
import { sharedDatabase, type Lifetime } from "../support/test-database.ts";
import { createTestServer, type TestServer } from "../support/test-server.ts";

type Frontend = {
  readonly port: number;
  readonly to: number;
  /** Where its connections to the server come from: another address than a client's. */
  readonly from: string;
  readonly lines?: readonly string[];
};

const saysForWhom = ["option forwardfor"];

async function startProxies(t: Lifetime, frontends: readonly Frontend[]): Promise<void> {
  const sections = frontends.flatMap(({ port, to, from, lines = [] }) => [
    `frontend f${port}`,
    `  bind 127.0.0.1:${port}`,
    ...lines.map((line) => `  ${line}`),
    `  default_backend b${port}`,
    `backend b${port}`,
    "  http-reuse always",
    `  server s1 127.0.0.1:${to} source ${from}`,
  ]);
  const head = ["global", "  maxconn 200", "defaults", "  mode http", "  timeout connect 5s"];
  const config = [...head, "  timeout client 30s", "  timeout server 30s", ...sections, ""].join("\n");
  await startHaproxy(
    t,
    config,
    frontends.map(({ port }) => port),
  );
}

/** A server that listens, with PUBLIC_URL as it is seen through a proxy. */
async function listening(port: number, publicPort: number, env: Record<string, string> = {}, parts = {}) {
  const server = await createTestServer({ PUBLIC_URL: `http://127.0.0.1:${publicPort}`, ...env }, parts);
  await server.app.listen({ host: "127.0.0.1", port });
  return server;
}

async function checkOf(server: TestServer): Promise<Record<string, unknown>> {
  const admin = await server.administrator();
  const { status, body, text } = await server.request("GET", "/admin/proxy", { token: admin.token });
  assert.equal(status, 200, text);
  return body;
}

/** From another address of this machine, as if from another one. */
async function askFrom(localAddress: string, port: number, path: string, headers: Record<string, string> = {}) {
  const asked = request({ host: "127.0.0.1", port, path, localAddress, headers, agent: false });
  asked.end();
  const [answer] = await once(asked, "response");
  let text = "";
  for await (const chunk of answer) text += String(chunk);
  return { status: answer.statusCode as number, text };
}

describe("behind haproxy", { skip: withoutHaproxy() }, () => {
  test("the check says what stands between, and which line to set", async (t) => {
    const ports = await Promise.all(Array.from({ length: 12 }, freePort));
    const [
      a = 0,
      b = 0,
      c = 0,
      d = 0,
      e = 0,
      f = 0,
      front1 = 0,
      front2 = 0,
      front3 = 0,
      back3 = 0,
      moved = 0,
      none = 0,
    ] = ports;
    await startProxies(t, [
      { port: front1, to: a, from: "127.0.0.2", lines: saysForWhom },
      { port: front2, to: b, from: "127.0.0.2" },
      { port: front3, to: back3, from: "127.0.0.2", lines: saysForWhom },
      { port: back3, to: c, from: "127.0.0.3", lines: saysForWhom },
      { port: moved, to: d, from: "127.0.0.2", lines: [`http-request redirect location http://127.0.0.1:${e}/stolen`] },
    ]);
    const one = await listening(a, front1);
    const unknown = await checkOf(one);
    assert.deepEqual(
      { ...unknown, round_trip: undefined, this_request: undefined },
      {
        public_url: `http://127.0.0.1:${front1}`,
        trusted_proxies: [],
        state: "warning",
        found: "127.0.0.2 stands between and is not believed: all its clients are counted as 127.0.0.2.",
        cure: "Set TRUSTED_PROXIES=127.0.0.2.",
        setting: "TRUSTED_PROXIES=127.0.0.2",
        round_trip: undefined,
        this_request: undefined,
      },
    );
    assert.deepEqual(unknown["round_trip"], {
      peer: "127.0.0.2",
      forwarded_for: "192.0.2.1, 127.0.0.1",
      forwarded: null,
      forwarded_proto: null,
      forwarded_host: null,
      scheme: "http",
      host: `127.0.0.1:${front1}`,
      client_address: "127.0.0.2",
      limiter_key: "address:127.0.0.2",
    });
    assert.equal((unknown["this_request"] as { peer: string }).peer, "203.0.113.7");
    await one.close();

    const named = await listening(a, front1, { TRUSTED_PROXIES: "127.0.0.2" });
    const good = await checkOf(named);
    assert.equal(good["found"], "Clients come by way of 127.0.0.2, and each is counted by its own address.");
    assert.deepEqual([good["state"], good["setting"]], ["ok", null]);
    assert.equal((good["round_trip"] as { client_address: string }).client_address, "127.0.0.1");

    const silent = await listening(b, front2);
    const unsaid = await checkOf(silent);
    assert.deepEqual([unsaid["state"], unsaid["setting"]], ["warning", "TRUSTED_PROXIES=127.0.0.2"]);
    assert.match(String(unsaid["found"]), /^127\.0\.0\.2 stands between and does not say for whom/);
    await silent.close();
    const credulous = await checkOf(await listening(b, front2, { TRUSTED_PROXIES: "127.0.0.2" }));
    assert.deepEqual([credulous["state"], credulous["setting"]], ["failed", null]);
    assert.match(String(credulous["found"]), /hands X-Forwarded-For on as clients write it, and is believed/);
    assert.match(String(credulous["cure"]), /option forwardfor/);

    const two = await checkOf(await listening(c, front3, { TRUSTED_PROXIES: "127.0.0.3" }));
    assert.equal(
      two["found"],
      "127.0.0.2 stands between and is not believed: all its clients are counted as 127.0.0.2.",
    );
    assert.equal(two["setting"], "TRUSTED_PROXIES=127.0.0.3,127.0.0.2");

    const elsewhere = await listening(e, e);
    const redirected = await checkOf(await listening(d, moved));
    assert.equal(redirected["setting"], `PUBLIC_URL=http://127.0.0.1:${e}`);
    assert.equal(redirected["round_trip"], null);
    const seen = await elsewhere.platform.decisions.list({}, { count: 10 });
    assert.deepEqual(
      seen.filter(({ path }) => path === "/stolen"),
      [],
      "no redirect is followed",
    );
    const direct = await checkOf(elsewhere);
    assert.equal(direct["found"], "Nothing stands between: clients come by themselves.");
    const unreached = await checkOf(await listening(f, none));
    assert.match(String(unreached["found"]), /^Nobody answered at PUBLIC_URL=\S+ from here \(ECONNREFUSED\)\.$/);
    assert.equal(unreached["state"], "warning");
  });

  test("the way is told to who has a nonce of this installation, and to nobody else", async () => {
    const server = await createTestServer();
    const other = await createTestServer();
    const ask = (nonce: string) => server.request("GET", `/proxy-check?nonce=${nonce}`);
    const made = (secrets: TestServer["platform"]["secrets"], at: number): string => {
      const text = `${at}.${"A".repeat(22)}`;
      return `${text}.${secrets.tag("proxy check, asked", text)}`;
    };
    const now = server.clock.now();
    const { secrets } = server.platform;
    assert.equal((await ask(made(secrets, now))).status, 200);
    for (const nonce of [
      "",
      "x",
      made(other.platform.secrets, now),
      made(secrets, now - 61_000),
      made(secrets, now + 61_000),
      `${made(secrets, now)}.x`,
      made(secrets, now).replace("AA", "AB"),
    ]) {
      const { status, body } = await ask(nonce);
      assert.equal(`${status} ${String(body["code"])}`, "404 not-found", nonce);
    }
  });

  test("doctor makes the same round trip beside a running server", async (t) => {
    const [port, front] = [await freePort(), await freePort()];
    await startProxies(t, [{ port: front, to: port, from: "127.0.0.2", lines: saysForWhom }]);
    const env = {
      PORT: String(port),
      PUBLIC_URL: `http://127.0.0.1:${front}`,
      SECRET_KEY: "k".repeat(48),
      DATABASE_URL: await sharedDatabase(t),
    };
    await startServer(t, { env });
    const { stdout } = await runTollgate(["doctor"], env);
    assert.match(
      stdout,
      /^warning +proxy +127\.0\.0\.2 stands between and is not believed: all its clients are counted as 127\.0\.0\.2\. Seen: peer 127\.0\.0\.2, X-Forwarded-For 192\.0\.2\.1, 127\.0\.0\.1, client 127\.0\.0\.2\. Set TRUSTED_PROXIES=127\.0\.0\.2\.$/m,
    );
  });

  test("clients who share a limiter key because the proxy is not named: ready and the log say so", async (t) => {
    const [port, front] = [await freePort(), await freePort()];
    await startProxies(t, [{ port: front, to: port, from: "127.0.0.2", lines: saysForWhom }]);
    const lines: Record<string, unknown>[] = [];
    const log = pino({ level: "warn" }, { write: (line: string) => void lines.push(JSON.parse(line)) });
    const server = await listening(port, front, { LIMIT_API: "3/60s", METRICS_TOKEN: "metrics-token-012345" }, { log });
    const ready = async () => {
      const { status, body } = await server.request("GET", "/health/ready");
      assert.equal(status, 200);
      return body["warnings"] as string[];
    };
    const from = async (client: string) => (await askFrom(client, front, "/")).status;
    assert.equal(await from("127.0.0.11"), 200);
    assert.equal(await from("127.0.0.11"), 200);
    assert.deepEqual([await ready(), lines], [[], []], "one client is no reason");
    assert.equal(await from("127.0.0.12"), 200);
    const [warned, ...more] = await ready();
    assert.match(warned ?? "", /^proxy: clients that a proxy forwards are all counted as one/);
    assert.doesNotMatch(warned ?? "", /127\.0\.0/, "anybody may read this");
    assert.deepEqual(more, []);
    assert.equal(await from("127.0.0.13"), 429, "nobody is refused before the operator is told");
    assert.equal(lines.length, 1, "once");
    assert.deepEqual([lines[0]?.["peer"], lines[0]?.["setting"]], ["127.0.0.2", "TRUSTED_PROXIES=127.0.0.2"]);
    const { text } = await server.request("GET", "/metrics", { token: "metrics-token-012345" });
    assert.match(text, /^tollgate_forwarding_amiss 1$/m);
    server.clock.advance(10 * 60_000);
    assert.deepEqual(await ready(), [], "it is over when it is over");
    await server.close();

    const named = await listening(port, front, { LIMIT_API: "3/60s", TRUSTED_PROXIES: "127.0.0.2" }, { log });
    for (const client of ["127.0.0.11", "127.0.0.12", "127.0.0.13", "127.0.0.14"])
      assert.equal(await from(client), 200);
    assert.deepEqual((await named.request("GET", "/health/ready")).body["warnings"], []);
    assert.equal(lines.length, 1);
  });

  test("a client's own forwarding headers choose neither its key nor anybody's links", async (t) => {
    // V32, V34, ASVS 4.1.3 (requirement 78)
    const [port, front] = [await freePort(), await freePort()];
    await startProxies(t, [{ port: front, to: port, from: "127.0.0.2", lines: saysForWhom }]);
    const server = await listening(port, front, { LIMIT_API: "1/60s", TRUSTED_PROXIES: "127.0.0.2" });
    assert.equal((await askFrom("127.0.0.11", front, "/")).status, 200);
    const inventions = [
      "203.0.113.1",
      "127.0.0.2",
      "127.0.0.12",
      "::1",
      "203.0.113.1, 127.0.0.2",
      "x".repeat(3_000),
      ",",
    ];
    for (const invention of inventions) {
      const headers = { "x-forwarded-for": invention, forwarded: "for=203.0.113.1", "x-real-ip": "203.0.113.1" };
      assert.equal((await askFrom("127.0.0.11", front, "/", headers)).status, 429, invention);
    }
    const headers = { "x-forwarded-host": "evil.example", "x-forwarded-proto": "gopher", host: "evil.example" };
    const other = await askFrom("127.0.0.12", front, "/nowhere", headers);
    assert.equal(other.status, 404, "another client has its own key");
    assert.ok(!other.text.includes("evil.example"));
    const keys = await server.platform.rateLimiter.busiest({ name: "api", quota: 1, windowSeconds: 60 }, 10);
    assert.deepEqual(keys.map(({ key }) => key).toSorted(), ["address:127.0.0.11", "address:127.0.0.12"]);
  });

  test("on a socket of both families an IPv4 client has one key, however it is written", async () => {
    // V34: ::ffff:a.b.c.d is a.b.c.d.
    const server = await createTestServer({ LIMIT_API: "2/60s" });
    const port = await freePort();
    await server.app.listen({ host: "::", port });
    assert.equal((await askFrom("127.0.0.11", port, "/")).status, 200);
    assert.equal((await server.request("GET", "/", { address: "127.0.0.11" })).status, 200);
    assert.equal((await askFrom("127.0.0.11", port, "/")).status, 429);
    assert.equal((await askFrom("127.0.0.12", port, "/")).status, 200);
  });

  test("as many answers as requests, directly and through the proxy; nobody gets another's", async (t) => {
    const front = await freePort();
    const server = await startServer(t, { env: { LIMIT_API: "off", LIMIT_SIGN_UP: "off", LOG_LEVEL: "info" } });
    await startProxies(t, [{ port: front, to: server.port, from: "127.0.0.2", lines: saysForWhom }]);
    await assertNoSmuggling(server, [server.port, front]);
  });
});
