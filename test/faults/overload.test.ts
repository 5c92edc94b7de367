import assert from "node:assert/strict";
import { connect, type Socket } from "node:net";
import { describe, test } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { startServer } from "../support/server-process.ts";

const unlimited = { LIMIT_API: "off", LIMIT_SIGN_UP: "off", LIMIT_LOGIN_ADDRESS: "off", LIMIT_LOGIN_ACCOUNT: "off" };

describe("under more than it can do", { concurrency: false }, () => {
  test("five hundred sign-ins at once: a bounded number is hashed, the rest is told to come back", async (t) => {
    // X17
    const env = { ...unlimited, ARGON2_MEMORY_KIB: "19456", ARGON2_PASSES: "2", HASH_THREADS: "1", HASH_QUEUE: "10" };
    const server = await startServer(t, { env });
    const post = (path: string, body: unknown) =>
      fetch(server.url + path, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(body),
      });
    const made = await post("/users/", { email: "alice@example.com", password: "password" });
    const { token } = (await made.json()) as { token: string };
    let isFlooding = true;
    const statuses: number[] = [];
    const readers = (async () => {
      for (; isFlooding; await wait(2)) {
        const response = await fetch(`${server.url}/users/me`, { headers: { authorization: `Bearer ${token}` } });
        statuses.push(response.status);
        await response.arrayBuffer();
      }
    })();
    const flood = await Promise.all(
      Array.from({ length: 500 }, async (_, index) => {
        const response = await post("/auth/login", { email: `u${index}@example.com`, password: "password" });
        const { code } = (await response.json()) as { code: string };
        return `${response.status} ${code} ${response.headers.get("retry-after") ?? ""}`.trim();
      }),
    );
    isFlooding = false;
    await readers;
    const counts = Object.groupBy(flood, (answer) => answer);
    assert.deepEqual(Object.keys(counts).toSorted(), ["401 wrong-credentials", "503 busy 1"]);
    assert.ok((counts["503 busy 1"]?.length ?? 0) > 300, "most are shed, none waits in an endless queue");
    assert.ok((counts["401 wrong-credentials"]?.length ?? 0) >= 11, "one running and ten waiting are served");
    assert.deepEqual([...new Set(statuses)], [200], "who is signed in is served all the while");
  });

  test("a thousand clients that never finish are cut, and others are served meanwhile", async (t) => {
    // X13
    const server = await startServer(t, { env: unlimited });
    const sockets: Socket[] = [];
    t.after(() => sockets.forEach((socket) => socket.destroy()));
    let cut = 0;
    for (let index = 0; index < 1000; index += 1) {
      const socket = connect(server.port, "127.0.0.1").on("error", () => undefined);
      socket.on("close", () => (cut += 1)).resume();
      socket.write(`GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: ${index}\r\n`);
      sockets.push(socket);
      if (index % 100 === 99) await wait(10);
    }
    for (let count = 0; count < 20; count += 1) assert.equal((await fetch(`${server.url}/health/live`)).status, 200);
    // Headers must be there within 10 seconds, looked at every 5.
    for (let seconds = 0; cut < 1000 && seconds < 40; seconds += 1) await wait(1000);
    assert.equal(cut, 1000);
    assert.equal((await fetch(`${server.url}/health/live`)).status, 200);
  });
});
