import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { sql } from "kysely";
import { startServer } from "../support/server-process.ts";
import { isOnPostgres, openUrl, sharedDatabase } from "../support/test-database.ts";

/** CRASH_ROUNDS=200 is the whole proof; a few rounds run each time. */
const rounds = Number(process.env["CRASH_ROUNDS"] ?? 8);

test(`an acknowledged sign-up survives kill -9 (${rounds} rounds)`, { timeout: rounds * 20_000 }, async (t) => {
  // X1, I4, I7, X28
  const env = {
    DATABASE_URL: await sharedDatabase(t),
    LIMIT_SIGN_UP: "off",
    LIMIT_API: "off",
    SECRET_KEY: "0123456789abcdef0123456789abcdef",
  };
  const acknowledged: { readonly email: string; readonly id: number }[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const server = await startServer(t, { env });
    const ended = once(server.process, "close");
    const { promise: firstAcknowledged, resolve: acknowledge } = Promise.withResolvers<void>();
    let isAlive = true;
    const signUpsOfOne = async (lane: number): Promise<void> => {
      for (let index = 0; isAlive; index += 1) {
        const email = `r${round}-${lane}-${index}@example.com`;
        const response = await fetch(`${server.url}/users/`, {
          method: "POST",
          headers: { "content-type": "application/json" },
          body: JSON.stringify({ email, password: "password" }),
        }).catch(() => undefined);
        if (response?.status !== 201) continue;
        acknowledged.push({ email, id: Number(response.headers.get("location")?.split("/").at(-1)) });
        acknowledge();
      }
    };
    const lanes = Array.from({ length: 8 }, (_, lane) => signUpsOfOne(lane));
    await firstAcknowledged;
    await wait((round * 137) % 400); // Another moment each round.
    server.process.kill("SIGKILL");
    isAlive = false;
    await Promise.all([ended, ...lanes]);
  }

  const server = await startServer(t, { env });
  assert.equal((await fetch(`${server.url}/health/ready`)).status, 200);
  await server.stop();
  await using db = await openUrl(env.DATABASE_URL);
  if (!isOnPostgres) {
    const { rows } = await sql<{ integrity_check: string }>`pragma integrity_check`.execute(db);
    assert.deepEqual(
      rows.map((row) => row.integrity_check),
      ["ok"],
    );
  }
  const kept = await db
    .selectFrom("accounts")
    .leftJoin("sessions", "sessions.account_id", "accounts.id")
    .leftJoin("events", "events.account_id", "accounts.id")
    .select(({ fn }) => [
      "accounts.id",
      "accounts.email",
      fn.count<number>("sessions.id").distinct().as("sessions"),
      fn.count<number>("events.id").distinct().as("events"),
    ])
    .groupBy("accounts.id")
    .execute();
  const byEmail = new Map(kept.map(({ email, id }) => [email, id]));
  for (const { email, id } of acknowledged) assert.equal(byEmail.get(email), id, `${email} was acknowledged`);
  for (const { email, sessions, events } of kept) {
    assert.deepEqual({ sessions, events }, { sessions: 1, events: 2 }, `all of ${email}, or nothing`);
  }
});
