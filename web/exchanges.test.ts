import assert from "node:assert/strict";
import { test } from "node:test";
import { exchangesMade, onExchange, recordExchange, withoutSecrets } from "./exchanges.ts";

test("an exchange is remembered without its secrets, also one that got no answer", async () => {
  let told = 0;
  const stop = onExchange(() => (told += 1));
  const body = JSON.stringify({ email: "ada@example.com", password: "correct horse" });
  const request = new Request("http://localhost/auth/login?x=1", { method: "POST", body });
  const headers = { "server-timing": `route;desc="passed: /auth/login";dur=0.1`, "x-request-id": "abc" };
  const answer = await recordExchange(request, async (sent) => {
    assert.equal(await sent.text(), body, "what is sent is untouched");
    return new Response("{}", { status: 401, headers });
  });
  assert.equal(answer.status, 401);
  const away = new TypeError("away");
  await assert.rejects(
    recordExchange(new Request("http://localhost/"), () => Promise.reject(away)),
    away,
  );
  stop();
  await recordExchange(new Request("http://localhost/users/me"), async () => new Response());
  assert.equal(told, 2);
  const [third, second, first] = exchangesMade();
  assert.deepEqual([third?.path, second?.status, first?.requestId], ["/users/me", 0, "abc"]);
  assert.equal(first?.requestBody, `{"email":"ada@example.com","password":"…"}`);
});

test("only so many exchanges are kept", async () => {
  for (let count = 0; count < 40; count += 1) {
    await recordExchange(new Request("http://localhost/"), async () => new Response());
  }
  assert.equal(exchangesMade().length, 30);
});

test("secrets are hidden by the names of their members, at any depth", () => {
  const body = { refresh_token: "a", new_password: "b", code: "c", deep: { device_token: "d" }, name: "e", token: 5 };
  assert.equal(
    withoutSecrets(JSON.stringify(body)),
    `{"refresh_token":"…","new_password":"…","code":"…","deep":{"device_token":"…"},"name":"e","token":5}`,
  );
  assert.equal(withoutSecrets("password=secret"), "…");
});
