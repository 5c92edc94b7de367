import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { Agent, type IncomingHttpHeaders, type IncomingMessage, request as send } from "node:http";
import { text } from "node:stream/consumers";
import { test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { startHaproxy, withoutHaproxy } from "../support/haproxy.ts";
import { freePort, type ServerProcess, startServer } from "../support/server-process.ts";
import { sharedDatabase } from "../support/test-database.ts";

const skip = withoutHaproxy();
const requestsPerSecond = 200;
const pauseMilliseconds = 20;
const shutdownDelaySeconds = 2;
/** Two looks that fail are a tenth of the delay: time enough on a machine that is busy. */
const looks = "inter 100ms fall 2 rise 1";
const agent = new Agent({ keepAlive: true, maxSockets: 64 });

type Reply = { readonly status: number; readonly headers: IncomingHttpHeaders; readonly text: string };
type Ask = { readonly method?: string; readonly body?: object; readonly headers?: Readonly<Record<string, string>> };

async function ask(port: number, path: string, { method = "GET", body, headers = {} }: Ask = {}): Promise<Reply> {
  const type = body === undefined ? {} : { "content-type": "application/json" };
  const sent = send({ host: "127.0.0.1", port, path, method, agent, headers: { ...headers, ...type } });
  const [response] = (await once(sent.end(body && JSON.stringify(body)), "response")) as [IncomingMessage];
  return { status: response.statusCode ?? 0, headers: response.headers, text: await text(response) };
}

function haproxyConfig(ports: { readonly door: number; readonly monitor: number }, servers: readonly number[]): string {
  return `
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
  timeout check 5s
frontend door
  bind 127.0.0.1:${ports.door}
  default_backend tollgate
frontend monitor
  bind 127.0.0.1:${ports.monitor}
  monitor-uri /both-are-up
  monitor fail if { nbsrv(tollgate) lt ${servers.length} }
backend tollgate
  balance roundrobin
  option httpchk GET /health/ready
  http-check expect status 200
  default-server ${looks}
${servers.map((port, index) => `  server tollgate${index} 127.0.0.1:${port} check`).join("\n")}
`;
}

/** Asks who it is, two hundred times a second, until it is stopped; gives what was not answered 200. */
function flow(port: number, token: string): { readonly stop: () => Promise<{ count: number; lost: string[] }> } {
  const lost: string[] = [];
  const underWay = new Set<Promise<void>>();
  const startedAt = performance.now();
  let count = 0;
  const timer = setInterval(() => {
    for (; count < ((performance.now() - startedAt) / 1000) * requestsPerSecond; count += 1) {
      const asked: Promise<void> = ask(port, "/users/me", { headers: { authorization: `Bearer ${token}` } })
        .then((reply) => void (reply.status === 200 || lost.push(`${reply.status} ${reply.text}`)))
        .catch((error: unknown) => void lost.push(String(error)))
        .finally(() => underWay.delete(asked));
      underWay.add(asked);
    }
  }, 5);
  return {
    stop: async () => {
      clearInterval(timer);
      await Promise.all(underWay);
      return { count, lost };
    },
  };
}

/** Refreshes its tokens one after the other, as a client does that is never offline. */
function refreshing(port: number, first: string): { readonly stop: () => Promise<string[]> } {
  const refused: string[] = [];
  let isOver = false;
  const run = async (): Promise<void> => {
    for (let token = first; !isOver; await pause(pauseMilliseconds)) {
      const headers = { "idempotency-key": randomUUID() };
      const reply = await ask(port, "/auth/refresh", { method: "POST", body: { refresh_token: token }, headers });
      if (reply.status !== 200) return void refused.push(reply.text);
      token = (JSON.parse(reply.text) as { refresh_token: string }).refresh_token;
    }
  };
  const running = run().catch((error: unknown) => void refused.push(String(error)));
  return {
    stop: async () => {
      isOver = true;
      await running;
      return refused;
    },
  };
}

// X21, X22
test(
  "each instance behind haproxy restarts in turn, at 200 requests per second, and none is lost",
  { skip },
  async (t) => {
    t.after(() => agent.destroy());
    const off = Object.fromEntries(["SIGN_UP", "REFRESH", "API"].map((name) => [`LIMIT_${name}`, "off"]));
    const [door, monitor, ...ports] = [await freePort(), await freePort(), await freePort(), await freePort()];
    const env = {
      DATABASE_URL: await sharedDatabase(t),
      SECRET_KEY: "0123456789abcdef0123456789abcdef",
      PUBLIC_URL: `http://localhost:${door}`,
      TRUSTED_PROXIES: "loopback",
      SHUTDOWN_DELAY: `${shutdownDelaySeconds}s`,
      ...off,
    };
    // One of them is several processes itself.
    const start = (index: number): Promise<ServerProcess> =>
      startServer(t, { env: { ...env, PORT: String(ports[index]), WORKERS: String(index + 1) } });
    const instances = [await start(0), await start(1)];
    await startHaproxy(t, haproxyConfig({ door, monitor }, ports), [door, monitor]);
    const bothAreUp = async (): Promise<void> => {
      while ((await ask(monitor, "/both-are-up")).status !== 200) await pause(pauseMilliseconds);
    };
    await bothAreUp();
    const body = { email: "alice@example.com", password: "password" };
    const signUp = await ask(door, "/users/", { method: "POST", body });
    const { token, refresh_token: refreshToken } = JSON.parse(signUp.text) as { token: string; refresh_token: string };
    const [load, client] = [flow(door, token), refreshing(door, refreshToken)];
    for (const [index, instance] of instances.entries()) {
      const closed = once(instance.process, "close");
      instance.process.kill("SIGTERM");
      let ready = await ask(instance.port, "/health/ready");
      for (; ready.status === 200; ready = await ask(instance.port, "/health/ready")) await pause(pauseMilliseconds);
      assert.deepEqual([ready.status, ready.headers.connection], [503, "close"], "it says so first");
      const served = await ask(instance.port, "/users/me", { headers: { authorization: `Bearer ${token}` } });
      assert.deepEqual([served.status, served.headers.connection], [200, "close"], "and serves meanwhile");
      assert.deepEqual(await closed, [0, null]);
      assert.doesNotMatch(instance.output(), /still under way|killed/);
      await start(index);
      await bothAreUp();
    }
    const { count, lost } = await load.stop();
    assert.deepEqual(lost, []);
    assert.deepEqual(await client.stop(), []);
    assert.ok(count > requestsPerSecond * instances.length * shutdownDelaySeconds, `${count} requests`);
  },
);
