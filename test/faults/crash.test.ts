import assert from "node:assert/strict";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { startServer, temporaryDirectory } from "../support/server-process.ts";

/** CRASH_ROUNDS=200 is the whole proof; a few rounds run each time. */
const rounds = Number(process.env["CRASH_ROUNDS"] ?? 8);

test(`an acknowledged sign-up survives kill -9 (${rounds} rounds)`, { timeout: rounds * 20_000 }, async (t) => {
  // X1, I4, I7, X28
  const file = join(temporaryDirectory(t), "tollgate.db");
  const env = {
    DATABASE_URL: `sqlite:${file}`,
    LIMIT_SIGN_UP: "off",
    LIMIT_API: "off",
    SECRET_KEY: "0123456789abcdef0123456789abcdef",
  };
  const acknowledged: { readonly email: string; readonly id: number }[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const server = await startServer(t, { env });
    const ended = new Promise((resolve) => server.process.once("close", resolve));
    let isAlive = true;
    const signUpsOfOne = async (lane: number): Promise<void> => {
      for (let index = 0; isAlive; index += 1) {
        const email = `r${round}-${lane}-${index}@example.com`;
        const response = await fetch(`${server.url}/users/`, {
          method: "POST",
          headers: { "content-type": "application/json" },
          body: JSON.stringify({ email, password: "password" }),
        }).catch(() => undefined);
        if (response?.status === 201)
          acknowledged.push({ email, id: Number(response.headers.get("location")?.split("/").at(-1)) });
      }
    };
    const lanes = Array.from({ length: 8 }, (_, lane) => signUpsOfOne(lane));
    await wait(30 + ((round * 137) % 400)); // Another moment each round.
    server.process.kill("SIGKILL");
    isAlive = false;
    await Promise.all([ended, ...lanes]);
  }
  assert.ok(acknowledged.length > rounds, "something was acknowledged before each end");

  const server = await startServer(t, { env });
  assert.equal((await fetch(`${server.url}/health/ready`)).status, 200);
  await server.stop();
  const db = new DatabaseSync(file);
  t.after(() => db.close());
  assert.deepEqual({ ...db.prepare("pragma integrity_check").get() }, { integrity_check: "ok" });
  const find = db.prepare(
    "select accounts.id, count(distinct sessions.id) as sessions, count(distinct events.id) as events from accounts left join sessions on sessions.account_id = accounts.id left join events on events.account_id = accounts.id where email = ? group by accounts.id",
  );
  for (const { email, id } of acknowledged)
    assert.deepEqual({ ...find.get(email) }, { id, sessions: 1, events: 2 }, email);
  const halves = db
    .prepare("select count(*) as n from accounts where id not in (select account_id from sessions)")
    .get();
  assert.equal(halves?.["n"], 0, "no account without its session");
});
