import assert from "node:assert/strict";
import { once } from "node:events";
import { DatabaseSync } from "node:sqlite";
import { startFailingServer, testWithFailingIo } from "../support/failing-io.ts";
import { temporaryDirectory } from "../support/server-process.ts";

const faults = [
  { name: "fsync fails", calls: ["posix/io/sync/fsync", "posix/io/sync/fdatasync"], goesOn: false },
  { name: "a write fails", calls: ["posix/io/rw/pwrite"], goesOn: false },
  // SQLite writes the rest, unless nothing at all was written.
  { name: "a write is cut short", calls: ["posix/io/rw/pwrite/reduce"], goesOn: true },
] as const;

const refused = { status: 503, code: "database-unavailable", retryAfter: "1" };

// X4, I4, I8
testWithFailingIo(
  "nothing is acknowledged that the disk did not take, and all that was is there after kill -9",
  async (t) => {
    const path = `${temporaryDirectory(t)}/tollgate.db`;
    const limits = Object.fromEntries(["SIGN_UP", "API"].map((name) => [`LIMIT_${name}`, "off"]));
    const env = { DATABASE_URL: `sqlite:${path}`, SECRET_KEY: "0123456789abcdef0123456789abcdef", ...limits };
    const { server, fail, mend } = await startFailingServer(t, env);
    let count = 0;
    const acknowledged: string[] = [];
    const signUp = async (): Promise<{ status: number; code: unknown; token: string; retryAfter: string | null }> => {
      const email = `u${(count += 1)}@example.com`;
      const response = await fetch(`${server.url}/users/`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ email, password: "password" }),
      });
      const { code, token } = (await response.json()) as { code?: string; token?: string };
      if (response.status === 201) acknowledged.push(email);
      return { status: response.status, code, token: token ?? "", retryAfter: response.headers.get("retry-after") };
    };

    const { token } = await signUp();
    for (const { name, calls, goesOn } of faults) {
      fail(...calls);
      for (let time = 0; time < 5; time += 1) {
        const { status, code, retryAfter } = await signUp();
        if (status !== 201 || !goesOn) assert.deepEqual({ status, code, retryAfter }, refused, name);
      }
      const me = await fetch(`${server.url}/users/me`, { headers: { authorization: `Bearer ${token}` } });
      assert.equal(me.status, 200, `reading goes on while ${name}`);
      mend(...calls);
      assert.equal((await signUp()).status, 201, `without a restart after ${name}`);
    }
    fail("posix/io/sync/fsync", "posix/io/sync/fdatasync");
    assert.equal((await signUp()).status, 503);
    const ended = once(server.process, "close");
    server.process.kill("SIGKILL");
    await ended;

    const database = new DatabaseSync(path);
    assert.equal(database.prepare("pragma integrity_check").get()?.["integrity_check"], "ok");
    const kept = new Set(
      database
        .prepare("select email from accounts")
        .all()
        .map(({ email }) => email),
    );
    database.close();
    assert.ok(acknowledged.length >= 4);
    assert.deepEqual(
      acknowledged.filter((email) => !kept.has(email)),
      [],
    );
    // The last write that failed may have been kept all the same: nobody was told that it was not.
    assert.ok(kept.size <= acknowledged.length + 1, `${kept.size} kept, ${acknowledged.length} acknowledged`);
  },
);
