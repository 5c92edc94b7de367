import assert from "node:assert/strict";
import { test } from "node:test";
import { openRefusals } from "../support/decision-stream.ts";
import { startRedis, withoutRedis } from "../support/redis-server.ts";
import { runTollgate, startServer } from "../support/server-process.ts";
import { sharedDatabase } from "../support/test-database.ts";

/** Two servers that share a database and a Redis, and nothing else: as on two machines. */
const skip = withoutRedis();
const password = "password";

type Reply = { readonly status: number; readonly body: Record<string, unknown>; readonly requestId: string };
type Options = { readonly method?: string; readonly body?: object; readonly token?: string };

async function ask(url: string, path: string, { method = "GET", body, token }: Options = {}): Promise<Reply> {
  const response = await fetch(url + path, {
    method,
    headers: {
      ...(body === undefined ? {} : { "content-type": "application/json" }),
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  const requestId = response.headers.get("x-request-id") ?? "";
  return { status: response.status, body: text === "" ? {} : (JSON.parse(text) as Reply["body"]), requestId };
}

test("what one machine did, the other knows at its next request, and tells", { skip }, async (t) => {
  const env = {
    DATABASE_URL: await sharedDatabase(t),
    REDIS_URL: (await startRedis(t)).url,
    SECRET_KEY: "0123456789abcdef0123456789abcdef",
    PUBLIC_URL: "http://localhost:8000",
  };
  const [one, other] = (await Promise.all([startServer(t, { env }), startServer(t, { env })])).map(({ url }) => url);
  assert.ok(one !== undefined && other !== undefined);
  const signUp = async (url: string, email: string) => {
    const { body } = await ask(url, "/users/", { method: "POST", body: { email, password } });
    return { token: String(body["token"]) };
  };
  const ada = await signUp(one, "ada@example.com");
  const bob = await signUp(other, "bob@example.com");
  await runTollgate(["admin", "create", "ada@example.com"], env);

  await t.test("roles, accounts and sessions", async () => {
    const [me] = [await ask(one, "/users/me", bob)];
    const path = `/admin/users/${String(me.body["id"])}`;
    const change = (url: string, body: object) => ask(url, path, { method: "PATCH", body, ...ada });
    assert.equal((await ask(other, "/admin/users", bob)).status, 403);
    await change(one, { role: "admin" });
    assert.equal((await ask(other, "/admin/users", bob)).status, 200);
    await change(other, { role: "user" });
    assert.equal((await ask(one, "/admin/users", bob)).status, 403);
    await change(one, { disabled: true });
    assert.equal((await ask(other, "/users/me", bob)).status, 401);
  });

  await t.test("one limit", async () => {
    const asked = Array.from({ length: 40 }, (_, index) =>
      ask(index % 2 === 0 ? one : other, "/users/limited?client_id=both"),
    );
    assert.equal((await Promise.all(asked)).filter(({ status }) => status === 200).length, 5);
  });

  await t.test("refusals: why, the list, and the stream, which goes on at the other one", async () => {
    const stream = await openRefusals(t, one, ada);
    const refused: string[] = [];
    for (let index = 0; index < 6; index += 1) {
      refused.push((await ask(index % 2 === 0 ? one : other, "/users/me")).requestId);
    }
    const told = await stream.next(refused.length);
    assert.deepEqual(told.map(({ requestId }) => requestId).toSorted(), refused.toSorted());
    const numbers = told.map(({ id }) => Number(id));
    assert.deepEqual(
      numbers,
      numbers.toSorted((a, b) => a - b),
    );
    const resumed = await openRefusals(t, other, { ...ada, lastEventId: told[2]?.id });
    assert.deepEqual(await resumed.next(3), told.slice(3));
    for (const url of [one, other]) {
      const { body } = await ask(url, "/admin/decisions?code=token-missing&limit=6", ada);
      const listed = (body["items"] as { id: string; request_id: string }[]).map((item) => {
        return { id: item.id, requestId: item.request_id };
      });
      assert.deepEqual(listed.toReversed(), told);
      for (const { id, requestId } of told) {
        assert.equal((await ask(url, `/admin/decisions/${requestId}`, ada)).body["id"], id);
      }
    }
  });
});
